import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

export const output = async (program: string, args: readonly string[]): Promise<string> =>
  (await promisify(execFile)(program, args)).stdout;

const SERVER =
  'require("node:net").createServer((s) => s.on("error", () => s.destroy()).end("world\\n")).listen(80, () => console.log("listening"))';

/** A machine on the Internet: a network namespace with an address set aside for documentation, another of a private network, and a service on port 80. */
export class OutsideWorld {
  readonly #name = `bw${process.pid}`;
  readonly #place = (process.pid % 60) * 4;
  #server: ChildProcess | undefined;

  readonly port = 80;
  get address(): string {
    return `198.51.100.${this.#place + 2}`;
  }
  get privateAddress(): string {
    return `192.168.7.${this.#place + 2}`;
  }

  async open(): Promise<void> {
    const outer = `${this.#name}o`;
    const inner = `${this.#name}i`;
    await this.#ip('netns', 'add', this.#name);
    await this.#ip('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', this.#name);
    for (const net of ['198.51.100', '192.168.7']) {
      await this.#ip('addr', 'add', `${net}.${this.#place + 1}/30`, 'dev', outer);
      await this.#ip('-n', this.#name, 'addr', 'add', `${net}.${this.#place + 2}/30`, 'dev', inner);
    }
    await this.#ip('link', 'set', outer, 'up');
    await this.#ip('-n', this.#name, 'link', 'set', inner, 'up');
    this.#server = spawn('ip', ['netns', 'exec', this.#name, process.execPath, '-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.#server.stdout !== null) await once(this.#server.stdout, 'data');
  }

  async close(): Promise<void> {
    this.#server?.kill('SIGKILL');
    await this.#ip('netns', 'del', this.#name);
  }

  #ip(...args: string[]): Promise<string> {
    return output('ip', args);
  }
}
