import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

const FOLDERS = ['contract', 'server', 'cli'].flatMap((name) => [`${name}/src`, `${name}/test`]);
const onCluster = /kubernetes|(?:engines|platforms)\.ts/i;

/**
 * Which clusters tests with these words in their paths could use. A test that uses one says "Kubernetes", or runs on every
 * engine or platform; those below `faults` may break it, and have one of their own. Unit tests use none.
 * @param {readonly string[]} words arguments of vitest; where none names a test, all are meant
 */
export function neededClusters(words) {
  const files = FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
  const named = files.filter((file) => words.some((word) => file.includes(word)));
  const larger = (named.length > 0 ? named : files).filter((file) => file.includes('/test/'));
  const using = larger.filter((file) => onCluster.test(file + readFileSync(join(root, file), 'utf8')));
  const breaking = using.filter((file) => file.includes('/faults/'));
  return { whole: using.length > breaking.length, faults: breaking.length > 0 };
}
