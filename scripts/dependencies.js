import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';
import { must } from './run.js';

const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;

/** Whether node_modules holds what package-lock.json asks for; what npm may leave out (other platforms) is not looked at. */
export function dependenciesInstalled() {
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return false;
  const installed = read('node_modules/.package-lock.json');
  return Object.entries(read('package-lock.json')).every(
    ([path, wanted]) => !path.startsWith('node_modules/') || wanted.optional === true || installed[path]?.version === wanted.version,
  );
}

/** Runs `npm ci` where something is missing. Answers whether it had to. */
export async function installDependencies() {
  if (dependenciesInstalled()) return false;
  await must('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (!dependenciesInstalled()) throw new Error('npm ci ended well, and yet node_modules does not hold what package-lock.json asks for.');
  return true;
}
