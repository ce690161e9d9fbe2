#!/usr/bin/env node
// Plain JavaScript for Node 18 and later: finds the project's Node 24 and hands over to it.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 24;
const here = dirname(realpathSync(fileURLToPath(import.meta.url)));
const main = join(here, '..', 'src', 'main.ts');

function foldersUpwards(folder) {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...foldersUpwards(parent)];
}

const dependencies = foldersUpwards(here)
  .map((folder) => join(folder, 'node_modules'))
  .filter((folder) => existsSync(folder));

/** The platform package first: node_modules/.bin/node may be a link to it or to anything else. */
function findNode() {
  for (const folder of dependencies) {
    const platforms = readdirSync(folder).filter((name) => name.startsWith('node-'));
    const found = [...platforms.map((name) => join(folder, name, 'bin', 'node')), join(folder, '.bin', 'node')].find((path) =>
      existsSync(path),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}

function stop(sentence) {
  process.stderr.write(`berth: ${sentence}\n`);
  process.exit(1);
}

const root = join(here, '..', '..');
const install = `(cd '${root}' && npm ci)`;

if (!dependencies.some((folder) => existsSync(join(folder, 'commander')))) {
  stop(`its packages are not installed in ${root}; install them with: ${install}`);
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  await import(pathToFileURL(main).href);
} else {
  const node = findNode();
  if (node === undefined) {
    stop(`this is Node ${process.versions.node}, and the Node ${NEEDED} it needs is not installed in ${root}; install it with: ${install}`);
  }
  handOver(node);
}

/** The 'ipc' channel tells the child of our death by SIGKILL, which cannot be forwarded. */
function handOver(node) {
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  child.on('error', (error) => stop(`${node} cannot be run (${error.code}); install it anew with: ${install}`));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Where the signal is ignored or handled elsewhere we are still here: the code a shell would show.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}
