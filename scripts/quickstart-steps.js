// The steps that `npm run quickstart` and its check have in common.
import { canInstall } from './apt.js';
import { installDependencies } from './dependencies.js';
import { findEngine, howToGetAnEngine } from './find-engine.js';
import { OwnEngine, recordedEngine } from './own-engine.js';
import { until } from './processes.js';
import { step } from './progress.js';

export const prepareDependencies = () => step('dependencies', installDependencies, (fresh) => (fresh ? 'installed' : 'present'));

/** Finds an engine or, on Debian or Ubuntu as root, starts one in `place`. Answers its address. */
export async function prepareEngine(place) {
  const engine = await step(
    'container engine',
    async (say) => {
      const found = await findEngine(process.env.DOCKER_HOST ? undefined : await recordedEngine(place.dataFolder));
      if (found !== undefined) return found;
      if (!canInstall()) throw new Error(howToGetAnEngine());
      const own = new OwnEngine(place);
      await own.start(say);
      return { host: own.host, name: `a Docker of Berth's own, apart from any other, in ${own.daemon.place.dataRoot}` };
    },
    ({ name, host }) => `${name} at ${host}`,
  );
  return engine.host;
}

const ENDED = ['terminated', 'cancelled', 'error'];
const LAUNCH_MS = 20 * 60_000;

/** A session of this name that runs: the one that is there, else a new one. The image is made at its first use. */
export async function prepareSession(berth, name) {
  return step(
    `session ${name}`,
    async (say) => {
      const found = await look(berth, name);
      if (found?.state === 'running') return 'runs still';
      if (found?.state === 'paused') await berth.must(['session', 'resume', name]);
      else if (found === undefined || ENDED.includes(found.state)) await berth.must(['session', 'create', '--detach', '--name', name]);
      await untilRunning(berth, name, say);
      return found?.state === 'paused' ? 'runs again' : 'runs';
    },
    String,
  );
}

async function look(berth, name) {
  const { code, output } = await berth.run(['session', 'show', name, '--json']);
  return code === 0 ? JSON.parse(output) : undefined;
}

async function untilRunning(berth, name, say) {
  let session;
  const settled = async () => {
    session = await look(berth, name);
    const launchStep = session?.timeline.at(-1);
    if (launchStep) say([launchStep.step, launchStep.detail].filter(Boolean).join(': '));
    return session === undefined || session.state === 'running' || ENDED.includes(session.state);
  };
  const inTime = await until(settled, LAUNCH_MS);
  if (session?.state === 'running') return;
  const why = session?.cause ? `${session.cause.message}. ${session.cause.remedy}` : (session?.reason ?? 'it cannot be found');
  throw new Error(inTime ? `The session did not start: ${why}` : `The session does not run after ${LAUNCH_MS / 60_000} minutes: ${why}`);
}

/** Resolves with the first SIGINT, SIGTERM or SIGHUP; later ones are left to the ending that is under way. */
export function onSignals() {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => resolve(name));
  });
}
