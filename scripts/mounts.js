import { readFileSync } from 'node:fs';
import { run } from './run.js';

/** Mount points at or below a folder, deepest first. */
export function mountsBelow(folder) {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return points
    .map((point) => point.replaceAll(/\\(\d{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8))))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}

export async function unmountBelow(folder) {
  for (const point of mountsBelow(folder)) await run('umount', ['--lazy', point]);
}
