import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { node24 } from './node24.js';
import { endProcesses, isAlive, until } from './processes.js';
import { root } from './root.js';
import { run } from './run.js';

const MAIN = join(root, 'cli/src/main.ts');
const READY_MS = 60_000;

/** A server on a data folder: found or started, and the command line that talks to it. */
export class Berth {
  /** @param {NodeJS.ProcessEnv} settings BERTH_DATA, DOCKER_HOST and whatever else the server is to know */
  constructor(settings) {
    this.env = { ...process.env, ...settings };
    delete this.env.BERTH_URL;
    delete this.env.BERTH_TOKEN;
    this.log = [];
  }

  /** What the server on this data folder left for its own user, if it lives and is ready. */
  async running() {
    const file = join(this.env.BERTH_DATA, 'local-access.json');
    if (!existsSync(file)) return undefined;
    const access = JSON.parse(readFileSync(file, 'utf8'));
    if (!isAlive(access.pid)) return undefined;
    const ready = await fetch(`${access.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    return ready ? access : undefined;
  }

  /** Starts it in a process group of its own, so that Ctrl+C reaches it once, from us. */
  async start() {
    this.child = spawn(node24(), [MAIN, 'server'], { cwd: root, env: this.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((resolve) => this.child.once('exit', (code, signal) => resolve(code ?? signal)));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.setEncoding('utf8').on('data', (text) => this.#hear(text));
    let code;
    void this.ended.then((result) => (code = result));
    await until(async () => code !== undefined || (this.access = await this.running()) !== undefined, READY_MS);
    if (this.access === undefined) {
      throw new Error(code === undefined ? `The server was not ready after ${READY_MS / 1000} s.` : `The server ended with ${code}.`);
    }
    return this.access;
  }

  #hear(text) {
    const lines = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map(readable);
    this.log.push(...lines);
    this.log.splice(0, this.log.length - 200);
    if (this.audible) process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  }

  /** SIGTERM, and SIGKILL when it does not end in half a minute. Sessions go on. */
  async stop() {
    if (this.child?.pid !== undefined) await endProcesses([this.child.pid], 30_000);
  }

  /** `berth …`, to its end: { code, output }. `show` lets its progress be seen. */
  run(args, options) {
    return run(node24(), [MAIN, ...args], { env: this.env, ...options });
  }

  /** The same, for what must succeed. */
  async must(args, options) {
    const { code, output } = await this.run(args, options);
    if (code !== 0) throw new Error(`berth ${args.join(' ')} ended with ${code}:\n${output.trim()}`);
    return output;
  }
}

/** A line of the server's log for people: time, message, and what it is about. */
function readable(line) {
  if (!line.startsWith('{')) return line;
  try {
    const { time, msg, level, err, ...rest } = JSON.parse(line);
    const facts = Object.entries(rest).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
    const fault = level >= 50 ? 'error: ' : level >= 40 ? 'warning: ' : '';
    return [String(time).slice(11, 19), `${fault}${msg ?? ''}${err ? `: ${err.message}` : ''}`, ...facts].join('  ');
  } catch {
    return line;
  }
}
