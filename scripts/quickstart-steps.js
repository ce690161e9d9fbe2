// The steps that `npm run quickstart` and its check have in common.
import { canInstall } from './apt.js';
import { installDependencies } from './dependencies.js';
import { findEngine, howToGetAnEngine } from './find-engine.js';
import { OwnEngine, recordedEngine } from './own-engine.js';
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

/** A session of this name that runs: the one that is there, else a new one. The image is made at its first use. */
export async function prepareSession(berth, name) {
  return step(
    `session ${name}`,
    async () => {
      const { code, output } = await berth.run(['session', 'show', name, '--json']);
      const state = code === 0 ? JSON.parse(output).state : 'absent';
      if (state === 'running') return 'still running';
      if (state === 'paused') {
        await berth.must(['session', 'resume', name], { show: true });
        return 'resumed';
      }
      if (['absent', 'terminated', 'cancelled', 'error'].includes(state))
        await berth.must(['session', 'create', '--detach', '--name', name], { show: true });
      await berth.must(['session', 'wait', name], { show: true });
      return 'running';
    },
    String,
  );
}

/** Resolves with the first SIGINT, SIGTERM or SIGHUP; later ones are left to the ending that is under way. */
export function onSignals() {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => resolve(name));
  });
}
