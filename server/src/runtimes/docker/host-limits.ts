import { readFileSync } from 'node:fs';

const WANTED_OPEN_FILES = 65_536;

/** How many files a container may have open: never above this machine's hard limit, which an engine without the right to raise it would refuse. */
export function openFilesLimit(): number | null {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits())?.[1];
  if (hard === undefined) return null;
  return hard === 'unlimited' ? WANTED_OPEN_FILES : Math.min(WANTED_OPEN_FILES, Number(hard));
}

function limits(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return ''; // Not Linux: the engine's own default holds.
  }
}
