import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Berth } from './berth.js';
import { claim } from './claim.js';
import { emptyEngine, engine } from './engine-api.js';
import { removeInstanceRules } from './firewall.js';
import { node24 } from './node24.js';
import { OwnEngine } from './own-engine.js';
import { step } from './progress.js';
import { onSignals, prepareDependencies, prepareEngine, prepareSession } from './quickstart-steps.js';

const SESSION = 'quickstart-check';
const PROGRAM = 'import platform; print("Python", platform.python_version(), "says", 6 * 7)';
const EXPECTED = 'says 42';

/** Where images stay for the next check: the one thing it leaves. */
const cacheFolder = () =>
  process.env.BERTH_IMAGE_CACHE ??
  (process.getuid?.() === 0 ? '/var/cache/berth' : join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'berth'));

/** The quickstart, unattended, on a data folder of its own. Answers the exit code; nothing is left but cached images. */
export async function check() {
  await prepareDependencies();
  node24();
  claim(join(cacheFolder(), 'quickstart-check.pid'), 'The quickstart is being checked on this machine already');
  const data = mkdtempSync(join(tmpdir(), 'berth-quickstart-'));
  const place = { dataFolder: data, images: join(cacheFolder(), 'docker') };
  const run = { data, place, berth: undefined };
  const interrupted = onSignals().then((name) => {
    throw new Error(`Interrupted by ${name}.`);
  });
  let failure;
  try {
    await Promise.race([tryIt(run), interrupted]);
  } catch (error) {
    failure = error;
  }
  try {
    await step('cleaning up', () => cleanUp(run));
  } catch (error) {
    failure ??= error;
  }
  if (failure === undefined) {
    process.stdout.write('\nThe quickstart works here.\n');
    return 0;
  }
  const log = run.berth?.log ?? [];
  process.stderr.write(`\nThe quickstart failed: ${failure.message}\n`);
  if (log.length > 0) process.stderr.write(`\nThe end of the server's log:\n${log.slice(-30).join('\n')}\n`);
  return 1;
}

async function tryIt(run) {
  run.host = await prepareEngine(run.place);
  run.berth = new Berth({ BERTH_DATA: run.data, DOCKER_HOST: run.host, BERTH_LISTEN: '127.0.0.1:0', BERTH_LOG_LEVEL: 'info' });
  run.access = await step(
    'Berth server',
    () => run.berth.start(),
    ({ url }) => url,
  );
  await prepareSession(run.berth, SESSION);
  const output = await step(
    'python3 inside it',
    () => run.berth.must(['session', 'exec', SESSION, '--', 'python3', '-c', PROGRAM]),
    (text) => text.trim(),
  );
  if (!output.includes(EXPECTED)) throw new Error(`Python inside the session printed "${output.trim()}", not what it was told to.`);
  await step('stopping it', () => run.berth.must(['session', 'stop', SESSION]));
}

async function cleanUp({ data, place, berth, host }) {
  const instance = instanceOf(data);
  const sockets = socketFolderOf(data);
  await berth?.stop();
  if (sockets !== undefined) rmSync(sockets, { recursive: true, force: true });
  const own = new OwnEngine(place);
  const ours = own.recorded;
  if (host !== undefined && instance !== undefined) await removeInstance(host, instance);
  if (instance !== undefined && process.getuid?.() === 0) await removeInstanceRules(instance);
  if (ours) {
    await emptyEngine(own.host); // also of what a check that was killed left in it
    await own.daemon.remove();
  }
  rmSync(data, { recursive: true, force: true });
}

function instanceOf(data) {
  const file = join(data, 'local-access.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).instance : undefined;
}

/** Where PostgreSQL's socket lies: the fifth line of its pid file. */
function socketFolderOf(data) {
  const file = join(data, 'postgres/data/postmaster.pid');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n')[4]?.trim() || undefined : undefined;
}

/** Containers, networks and volumes that carry the instance's label. */
async function removeInstance(host, instance) {
  const filters = encodeURIComponent(JSON.stringify({ label: [`berth.instance=${instance}`] }));
  for (const { Id } of await engine(host, `/containers/json?all=1&filters=${filters}`))
    await engine(host, `/containers/${Id}?force=1&v=1`, { method: 'DELETE' });
  for (const { Id } of await engine(host, `/networks?filters=${filters}`)) await engine(host, `/networks/${Id}`, { method: 'DELETE' });
  for (const { Name } of (await engine(host, `/volumes?filters=${filters}`)).Volumes ?? [])
    await engine(host, `/volumes/${Name}?force=1`, { method: 'DELETE' });
}
