import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createClient, type Client } from '@berth/contract';
import { TestNamespace } from './test-namespace.ts';

const MAIN = fileURLToPath(new URL('./serve.ts', import.meta.url));

/** An engine, or a cluster in which the server gets a namespace of its own. */
export type Ground = { readonly dockerHost: string } | { readonly kubeconfig: string };

interface MoreOptions {
  readonly dataFolder?: string;
  readonly env?: Readonly<Record<string, string>>;
}
export type BerthOptions = Ground & MoreOptions;

/** A real server process with a data folder and a PostgreSQL of its own. */
export class BerthProcess {
  readonly dataFolder: string;
  readonly url: string;
  /** Where its sessions are, on a cluster. */
  readonly namespace: TestNamespace | undefined;
  private readonly options: BerthOptions;
  private child: ChildProcess | undefined;
  private output = '';

  private constructor(options: BerthOptions, own: { dataFolder: string; url: string; namespace: TestNamespace | undefined }) {
    this.dataFolder = own.dataFolder;
    this.url = own.url;
    this.namespace = own.namespace;
    this.options = options;
  }

  static async prepare(options: BerthOptions): Promise<BerthProcess> {
    const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'berth-test-')));
    const namespace = 'kubeconfig' in options ? await TestNamespace.make(options.kubeconfig) : undefined;
    return new BerthProcess(options, { dataFolder, url: `http://127.0.0.1:${await freePort()}`, namespace });
  }

  static async start(options: BerthOptions): Promise<BerthProcess> {
    const berth = await BerthProcess.prepare(options);
    await berth.start();
    return berth;
  }

  /** Starts it and waits until it is ready. `env` arms kill points. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.spawn(env);
    await this.ready();
  }

  spawn(env: Readonly<Record<string, string>> = {}): void {
    this.output = '';
    const child = spawn(process.execPath, [MAIN], {
      env: {
        ...process.env,
        BERTH_DATA: this.dataFolder,
        BERTH_LISTEN: new URL(this.url).host,
        ...('dockerHost' in this.options && { DOCKER_HOST: this.options.dockerHost }),
        ...this.namespace?.env,
        BERTH_LOG_LEVEL: 'warn',
        DATABASE_URL: '',
        ...this.options.env,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => (this.output = (this.output + data.toString()).slice(-20_000)));
  }

  async ready(): Promise<void> {
    const until = Date.now() + 60_000;
    while (Date.now() < until) {
      if (this.hasEnded()) throw new Error(`the server ended before it was ready:\n${this.output}`);
      const answer = await fetch(new URL('/readyz', this.url)).catch(() => undefined);
      if (answer?.ok === true) return;
      await delay(25);
    }
    throw new Error(`the server is not ready after 60 s:\n${this.output}`);
  }

  /** A client signed in as the admin of this server. */
  async client(): Promise<Client> {
    return createClient({ url: this.url, token: await this.token() });
  }

  async token(): Promise<string> {
    const access = JSON.parse(await readFile(join(this.dataFolder, 'local-access.json'), 'utf8')) as { token: string };
    return access.token;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }
  get log(): string {
    return this.output;
  }
  get exitCode(): number | null {
    return this.child?.exitCode ?? null;
  }
  hasEnded(): boolean {
    return this.child === undefined || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }
  async stop(): Promise<void> {
    await this.end('SIGTERM');
  }
  async ended(): Promise<void> {
    if (this.child !== undefined && !this.hasEnded()) await once(this.child, 'exit');
  }

  /** Ends the server and its PostgreSQL, and removes the data folder and the namespace. Sessions must have ended before. */
  async dispose(): Promise<void> {
    if (this.hasEnded()) await this.start().catch(() => undefined);
    await this.stop();
    await this.namespace?.remove();
    await rm(this.dataFolder, { recursive: true, force: true });
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.child === undefined || this.hasEnded()) return;
    const exit = once(this.child, 'exit');
    this.child.kill(signal);
    await exit;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
