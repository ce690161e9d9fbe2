import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, SessionEvent, type Client, type CreateSessionInput, type Session } from '@berth/contract';
import type { Ground } from './ground.ts';

const ROOT = join(import.meta.dirname, '..');
/** What a server leaves for its own user. */
interface Access {
  readonly url: string;
  readonly token: string;
  readonly instance: string;
}

/** How a session went from the request to running; times in ms. */
export interface Start {
  readonly id: string;
  /** When it was asked for, since the epoch. */
  readonly askedAt: number;
  /** Until the request was answered. */
  readonly toAnswer: number;
  /** Until the event "running" was read. */
  readonly toRunning: number;
}

/** A server of our own with a data folder of its own, watched over one stream of events as a client would. */
export class BerthUnderTest {
  readonly instance: string;
  readonly url: string;
  readonly token: string;
  private readonly child: ChildProcess;
  private readonly dataFolder: string;
  private readonly client: Client;
  private readonly waiting = new Map<string, { resolve: (at: number) => void; reject: (error: Error) => void }>();
  private readonly seen = new Map<string, { at: number; state: string; message: string }>();
  private readonly events = new AbortController();

  private constructor(child: ChildProcess, dataFolder: string, access: Access) {
    this.child = child;
    this.dataFolder = dataFolder;
    this.instance = access.instance;
    this.url = access.url;
    this.token = access.token;
    this.client = createClient(access);
  }

  /** `profile`: a folder for a CPU profile of the server. */
  static async start({ ground, profile }: { ground: Pick<Ground, 'environment'>; profile?: string | undefined }): Promise<BerthUnderTest> {
    const dataFolder = await mkdtemp(join(tmpdir(), 'berth-bench-'));
    const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const child = spawn(process.execPath, [...profiling, join(ROOT, 'cli/src/main.ts'), 'server'], {
      // In a process group of its own: Ctrl+C ends the bench, which then ends the server.
      detached: true,
      env: {
        ...process.env,
        ...ground.environment,
        BERTH_LOG_LEVEL: 'warn',
        BERTH_STOP_GRACE: '1s',
        BERTH_DATA: dataFolder,
        BERTH_LISTEN: `127.0.0.1:${await freePort()}`,
        DATABASE_URL: '',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    try {
      const access = await whenReady(child, dataFolder);
      const berth = new BerthUnderTest(child, dataFolder, access);
      await berth.listen(access);
      return berth;
    } catch (error) {
      child.kill();
      await rm(dataFolder, { recursive: true, force: true });
      throw error;
    }
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the server has no process');
    return this.child.pid;
  }

  /** Asks for a session and waits until it runs. */
  async start(body: CreateSessionInput): Promise<Start> {
    const begun = performance.now();
    const { id } = await this.client.createSession({ body });
    const toAnswer = performance.now() - begun;
    const ranAt = await this.whenRunning(id);
    return { id, askedAt: performance.timeOrigin + begun, toAnswer, toRunning: ranAt - begun };
  }

  /** Asks for a session, and for a key pair, without waiting for anything. */
  async ask(body: CreateSessionInput): Promise<{ session: Session; accessKey: string; secretKey: string }> {
    const { accessKey, secretKey } = await this.client.createKeypair({ body: { name: 'bench' } });
    return { session: await this.client.createSession({ body }), accessKey, secretKey };
  }

  show(id: string): Promise<Session> {
    return this.client.getSession({ params: { session: id } });
  }

  /** Ends sessions and waits until nothing of them is left. */
  async remove(ids: readonly string[], ground: Ground): Promise<void> {
    await Promise.all(ids.map((session) => this.client.terminateSession({ params: { session }, body: {} })));
    const until = Date.now() + 120_000;
    while (Date.now() < until) {
      if (!(await ground.holds(this.instance))) return;
      await delay(50);
    }
    throw new Error(`after two minutes there is still something of ${ids.length} ended sessions`);
  }

  /** Ends the server and its PostgreSQL, and removes everything of them on this machine; the rest is the ground's. */
  async dispose(): Promise<void> {
    this.events.abort();
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await ended;
    }
    await rm(this.dataFolder, { recursive: true, force: true });
  }

  private whenRunning(id: string): Promise<number> {
    return new Promise<number>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.answer(id);
    });
  }

  private answer(id: string): void {
    const waiting = this.waiting.get(id);
    const seen = this.seen.get(id);
    if (waiting === undefined || seen === undefined) return;
    this.waiting.delete(id);
    if (seen.state === 'running') waiting.resolve(seen.at);
    else waiting.reject(new Error(`session ${id} is ${seen.state}: ${seen.message}`));
  }

  private stopWaiting(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }

  private async listen({ url, token }: { url: string; token: string }): Promise<void> {
    const response = await fetch(new URL('/api/events', url), {
      headers: { authorization: `Bearer ${token}` },
      signal: this.events.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`the events of the server answered ${response.status}`);
    const lines = createInterface({ input: Readable.fromWeb(response.body) });
    lines.on('error', (error) => this.stopWaiting(error));
    lines.on('close', () => this.stopWaiting(new Error('the server ended')));
    lines.on('line', (line) => {
      const at = performance.now();
      if (!line.startsWith('data: ')) return;
      const event = SessionEvent.parse(JSON.parse(line.slice('data: '.length)));
      if (event.state !== 'running' && event.state !== 'error' && event.state !== 'cancelled') return;
      if (!this.seen.has(event.sessionId)) this.seen.set(event.sessionId, { at, state: event.state, message: event.message });
      this.answer(event.sessionId);
    });
  }
}

async function whenReady(child: ChildProcess, dataFolder: string): Promise<Access> {
  const until = Date.now() + 60_000;
  while (Date.now() < until && child.exitCode === null) {
    const access = await readFile(join(dataFolder, 'local-access.json'), 'utf8').then(
      (text) => JSON.parse(text) as Access,
      () => undefined,
    );
    if (
      access !== undefined &&
      (await fetch(new URL('/readyz', access.url)).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
      return access;
    await delay(50);
  }
  throw new Error('the server did not become ready; what it said is above');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
