import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from './root.js';

const NEEDED = 24;

/** The Node that runs Berth: the one npm installed beside it, else this one if it is new enough. */
export function node24() {
  const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= NEEDED) return process.execPath;
  throw new Error(
    `Berth needs Node ${NEEDED}; this is ${process.version}, and npm has no Node ${NEEDED} for ${process.platform} ${process.arch}. Install Node ${NEEDED} and try again.`,
  );
}

/** The environment in which `node` and the project's tools are found by name. */
export function toolEnvironment() {
  return { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter) };
}
