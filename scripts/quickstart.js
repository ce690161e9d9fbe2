// `npm run quickstart`: from a fresh clone to a first session, a line for every step and no question.
// With `-- --check`: the same in a folder of its own, unattended; runs code inside, prints the result and cleans up.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Berth } from './berth.js';
import { node24 } from './node24.js';
import { step } from './progress.js';
import { check } from './quickstart-check.js';
import { onSignals, prepareDependencies, prepareEngine, prepareSession } from './quickstart-steps.js';

const SESSION = 'hello';

const dataFolder = () => process.env.BERTH_DATA ?? (process.getuid?.() === 0 ? '/var/lib/berth' : join(homedir(), '.local/share/berth'));

function printNext({ url }, name, engineHost) {
  process.stdout.write(`
Berth answers at ${url}. What next (in another terminal, in this folder):

  npx berth session attach ${name}     enter the session; Ctrl+P Ctrl+Q leaves it running
  npx berth session create            another one
  npx berth session exec ${name} -- python3 -c 'print("hi")'
  npx berth session list
  npx berth session stop ${name}
  npx berth --help

Engine: ${engineHost}
`);
}

async function quickstart() {
  await prepareDependencies();
  node24();
  const data = dataFolder();
  const host = await prepareEngine({ dataFolder: data });
  const berth = new Berth({ BERTH_DATA: data, DOCKER_HOST: host, BERTH_LOG_LEVEL: process.env.BERTH_LOG_LEVEL ?? 'warn' });
  const asked = onSignals();
  try {
    const running = await berth.running();
    const access =
      running ??
      (await step(
        'Berth server',
        () => berth.start(),
        ({ url }) => url,
      ));
    if (running !== undefined) process.stdout.write(`  ✓ Berth server: runs already at ${running.url}\n`);
    const early = await Promise.race([prepareSession(berth, SESSION), asked.then((name) => ({ name }))]);
    if (early.name !== undefined) return 130;
    printNext(access, SESSION, host);
    if (running !== undefined) return 0;
    process.stdout.write('\nCtrl+C ends the server and keeps the sessions; the next quickstart finds them again.\n\n');
    berth.audible = true;
    const signal = await Promise.race([asked, berth.ended]);
    if (typeof signal === 'number') throw new Error(`The server ended with ${signal}.`);
    process.stdout.write('\nEnding the server. Sessions go on.\n');
    return 0;
  } catch (error) {
    if (berth.log.length > 0) process.stderr.write(`\nThe end of the server's log:\n${berth.log.slice(-20).join('\n')}\n`);
    throw error;
  } finally {
    await berth.stop();
  }
}

// exit() and not exitCode: a step that a signal interrupted may still be waiting for something.
try {
  process.exit(process.argv.includes('--check') ? await check() : await quickstart());
} catch (error) {
  process.stderr.write(`\n${error.message}\n`);
  process.exit(1);
}
