import { readFileSync } from 'node:fs';

/** Comments are for whoever reads them here: every run carries the script along. */
const script = (name: string): string =>
  ['enter', name].map((part) => readFileSync(new URL(`${part}.sh`, import.meta.url), 'utf8').replaceAll(/^\s*#.*\n/gm, '')).join('');

/** For any /bin/sh, with the programs of coreutils or busybox; tar for folders only. */
export const READ = script('read');
export const WRITE = script('write');
export const LIST = script('list');
