import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAlive } from './processes.js';

/** Notes this process in `file` as the one that uses what lies beside it. Throws when another one does and lives. */
export function claim(file, what) {
  mkdirSync(dirname(file), { recursive: true, mode: 0o711 });
  const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (holder > 0 && holder !== process.pid && isAlive(holder)) throw new Error(`${what} (process ${holder}).`);
  writeFileSync(file, String(process.pid));
}
