// `npm run check`: format, lint, types, unused code, the OpenAPI document and the plain-text rules, side by side.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { installDependencies } from './dependencies.js';
import { toolEnvironment } from './node24.js';
import { step } from './progress.js';
import { root } from './root.js';
import { run } from './run.js';

const OPENAPI = 'contract/src/write-openapi.ts';

const CHECKS = [
  ['format', 'oxfmt', ['--check', '.']],
  ['lint', 'oxlint', ['--deny-warnings']],
  ['types', 'tsc', ['-b', '--pretty', 'false']],
  ['unused code', 'knip', ['--no-progress']],
  ['OpenAPI document', 'node', [OPENAPI, '--check']],
  ['no machine or registry named', 'node', ['scripts/plain-text-rules.js']],
];

const remedies = { format: 'npm run format', 'OpenAPI document': 'npm run openapi' };

async function check([title, command, args], env) {
  const began = Date.now();
  const { code, output } = await run(command, args, { env });
  const took = `(${((Date.now() - began) / 1000).toFixed(1)} s)`;
  process.stdout.write(`  ${code === 0 ? '✓' : '✗'} ${title}  ${took}\n`);
  return { title, failed: code !== 0, output };
}

/** Answers whether everything was in order. */
export async function checkAll() {
  await step('dependencies', installDependencies, (fresh) => (fresh ? 'installed' : 'present'));
  const env = toolEnvironment();
  const due = CHECKS.filter(([, , args]) => args[0] !== OPENAPI || existsSync(join(root, OPENAPI)));
  const failures = (await Promise.all(due.map((one) => check(one, env)))).filter(({ failed }) => failed);
  for (const { title, output } of failures) {
    const remedy = remedies[title] === undefined ? '' : `   to put it right: ${remedies[title]}`;
    process.stdout.write(`\n--- ${title}${remedy}\n${output.trim()}\n`);
  }
  return failures.length === 0;
}

if (process.argv[1] === join(root, 'scripts/check.js')) process.exitCode = (await checkAll()) ? 0 : 1;
