import { spawn } from 'node:child_process';
import { mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { endProcesses, processes, until } from './processes.js';

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** An image registry on a free port of 127.0.0.1, empty at every start. */
export class ImageRegistry {
  constructor(folder) {
    this.folder = folder;
  }

  async start() {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    this.address = `127.0.0.1:${await freePort()}`;
    const file = join(this.folder, 'config.json');
    const storage = { filesystem: { rootdirectory: join(this.folder, 'data') }, delete: { enabled: true } };
    writeFileSync(file, JSON.stringify({ version: 0.1, log: { level: 'warn' }, storage, http: { addr: this.address } }));
    const log = openSync(join(this.folder, 'registry.log'), 'a');
    spawn('docker-registry', ['serve', file], { stdio: ['ignore', log, log] });
    const answers = () =>
      fetch(`http://${this.address}/v2/`).then(
        ({ ok }) => ok,
        () => false,
      );
    if (!(await until(answers, 15_000))) throw new Error(`the image registry did not answer at ${this.address}`);
  }

  async remove() {
    const ours = processes((command) => command.includes('docker-registry') && command.includes(`${this.folder}/`));
    await endProcesses(
      ours.map(({ pid }) => pid),
      5_000,
    );
    rmSync(this.folder, { recursive: true, force: true });
  }
}
