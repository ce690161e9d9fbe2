import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24, toolEnvironment } from './node24.js';
import { root } from './root.js';
import { TestBed } from './test-bed.js';

/**
 * Vitest on a test bed, which is taken down whatever happens. Answers the exit code.
 * @param {readonly string[]} vitestArgs
 * @param {NodeJS.ProcessEnv} [variables]
 */
export async function runTests(vitestArgs, variables = {}) {
  const bed = new TestBed();
  let child;
  let interrupted = false;
  const interrupt = (name) => {
    interrupted = true;
    child?.kill(name);
  };
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
  const report = join(tmpdir(), `berth-tests-${process.pid}.json`);
  let code = 1;
  try {
    const environment = await bed.up();
    if (interrupted) return 130;
    const args = [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...vitestArgs,
    ];
    child = spawn(node24(), args, { cwd: root, stdio: 'inherit', env: { ...toolEnvironment(), ...environment, ...variables } });
    code = await new Promise((resolve) => child.once('exit', (status) => resolve(status ?? 130)));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  } finally {
    await bed.down().catch((error) => {
      process.stderr.write(`The engines could not be taken down: ${error.message}\n`);
      code ||= 1;
    });
  }
  const skipped = printCounts(report);
  // On a continuous integration machine every engine is there, so a skipped test is a hole.
  return code === 0 && skipped > 0 && process.env.CI ? 1 : code;
}

/** The line that a continuous integration reads, whatever the test runner's own looks like. Answers what was skipped. */
function printCounts(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
    const skipped = testResults.flatMap(({ assertionResults }) =>
      assertionResults.filter(({ status }) => status === 'skipped' || status === 'pending'),
    );
    for (const { fullName } of skipped) process.stdout.write(`skipped: ${fullName}\n`);
    process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped\n`);
    return skipped.length;
  } catch (error) {
    if (error.code !== 'ENOENT') throw error; // no report: the tests never began, and the exit code says so
    return 0;
  } finally {
    rmSync(report, { force: true });
  }
}
