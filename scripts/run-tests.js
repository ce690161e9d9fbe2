import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24, toolEnvironment } from './node24.js';
import { root } from './root.js';
import { TestBed } from './test-bed.js';

/** Side by side: the fault suites wait most of their time, and have engines and a cluster of their own. Three at once are too many for two CPUs. */
const EVERYTHING = [
  ['--project', 'unit', '--project', 'whole'],
  ['--project', 'faults', '--project', 'cluster-faults'],
];

/**
 * Vitest on a test bed, which is taken down whatever happens. Answers the exit code.
 * @param {readonly string[]} vitestArgs what to run; nothing: everything
 * @param {NodeJS.ProcessEnv} [variables]
 */
export async function runTests(vitestArgs, variables = {}) {
  const bed = new TestBed();
  const scratch = mkdtempSync(join(tmpdir(), 'berth-tests-'));
  const soak = variables.BERTH_TEST_SOAK === '1';
  const asked = vitestArgs.length > 0 || soak ? [vitestArgs] : EVERYTHING;
  const runs = asked.map((args, index) => new Vitest(args, join(scratch, String(index)), index === 0));
  let interrupted = false;
  const interrupt = (name) => {
    interrupted = true;
    for (const run of runs) run.child?.kill(name);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
  let code = 1;
  try {
    const environment = await bed.up(soak && vitestArgs.length === 0 ? ['server/test/faults'] : vitestArgs);
    if (interrupted) return 130;
    const env = { ...toolEnvironment(), ...environment, ...variables };
    const codes = await Promise.all(runs.map((run) => run.end(env)));
    for (const run of runs) run.printWhatWasHeldBack();
    code = Math.max(...codes);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  } finally {
    await bed.down().catch((error) => {
      process.stderr.write(`The engines could not be taken down: ${error.message}\n`);
      code ||= 1;
    });
  }
  const skipped = printCounts(runs.map(({ report }) => report));
  rmSync(scratch, { recursive: true, force: true });
  // On a continuous integration machine every engine is there, so a skipped test is a hole.
  return code === 0 && skipped > 0 && process.env.CI ? 1 : code;
}

/** One process of the test runner. What is not `shown` as it comes is printed when all have ended. */
class Vitest {
  constructor(args, path, shown) {
    this.report = `${path}.json`;
    this.output = `${path}.log`;
    this.shown = shown;
    this.args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${this.report}`,
      ...args,
    ];
  }

  /** Answers its exit code. */
  async end(env) {
    const held = this.shown ? 'inherit' : openSync(this.output, 'w');
    this.child = spawn(node24(), this.args, { cwd: root, stdio: ['ignore', held, held], env });
    return new Promise((resolve) => this.child.once('exit', (status) => resolve(status ?? 130)));
  }

  printWhatWasHeldBack() {
    if (!this.shown) process.stdout.write(readFileSync(this.output));
  }
}

/** The line that a continuous integration reads, whatever the test runner's own looks like. Answers what was skipped. */
function printCounts(reports) {
  const all = reports.filter((report) => existsSync(report)).map((report) => JSON.parse(readFileSync(report, 'utf8')));
  if (all.length === 0) return 0; // the tests never began, and the exit code says so
  const sum = (name) => all.reduce((total, report) => total + report[name], 0);
  const results = all.flatMap(({ testResults }) => testResults.flatMap(({ assertionResults }) => assertionResults));
  const skipped = results.filter(({ status }) => status === 'skipped' || status === 'pending');
  for (const { fullName } of skipped) process.stdout.write(`skipped: ${fullName}\n`);
  for (const { fullName, failureMessages } of results.filter(({ status }) => status === 'failed'))
    process.stdout.write(`failed: ${fullName}\n${indented(failureMessages.join('\n'))}\n`);
  const rest = sum('numPendingTests') + sum('numTodoTests');
  process.stdout.write(`${sum('numPassedTests')} passed, ${sum('numFailedTests')} failed, ${rest} skipped\n`);
  return skipped.length;
}

/** Whoever reads only the end of a long output still sees what went wrong. */
const indented = (text) =>
  text
    .split('\n')
    .slice(0, 25)
    .map((line) => `    ${line}`)
    .join('\n');
