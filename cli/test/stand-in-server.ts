import {
  CHANNEL,
  CommitSession,
  ControlFromClient,
  CreateSession,
  decodeFrame,
  encodeFrame,
  PROBLEMS,
  RenameSession,
  type ControlFromServer,
  type CreateSessionInput,
  type ProblemCode,
  type Session,
  type SessionEvent,
} from '@berth/contract';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { WebSocketServer, type WebSocket } from 'ws';
import { StandInFiles } from './stand-in-files.ts';
import { StandInKeypairs } from './stand-in-keypairs.ts';
import { StandInRuns } from './stand-in-runs.ts';
import { standInCommit, standInSession, standInStatistics } from './stand-in-session.ts';
import { StandInStorages } from './stand-in-storages.ts';

/** The main process of a stand-in session: what a test has it do. */
export interface Process {
  write(stream: 'stdout' | 'stderr', bytes: string | Buffer): void;
  exit(code: number, end?: Partial<Pick<Session, 'state' | 'cause'>>): void;
}
export interface Workload {
  start?(process: Process): void;
  input?(bytes: Buffer, process: Process): void;
  inputEnd?(process: Process): void;
  resize?(rows: number, cols: number, process: Process): void;
}

interface Kept {
  session: Session;
  readonly workload: Workload;
  readonly events: SessionEvent[];
  readonly output: { stream: 'stdout' | 'stderr'; bytes: Buffer }[];
  readonly followers: Set<() => void>;
  readonly sockets: Set<WebSocket>;
}

const TOKEN = 'berth_stand_in';
export const CALLBACK_KEY = 'berth_callback_of_ada';
const NOW = '2026-01-01T12:00:00.000Z';
const FINAL = ['terminated', 'cancelled', 'error'];

/** Speaks the contract over real sockets, with sessions that live in memory and do what the test says. */
export class StandInServer {
  readonly token = TOKEN;
  readonly requests: { method: string; path: string; body: unknown }[] = [];
  readonly sessions = new Map<string, Kept>();
  readonly keypairs = new StandInKeypairs();
  readonly storages = new StandInStorages();
  readonly runs = new StandInRuns();
  readonly files = new StandInFiles();
  readonly byClientToken = new Map<string, string>();
  /** What a session that is created will do; by default it runs at once and does nothing. */
  workload: Workload = {};
  /** How a created session comes to run. */
  launch: (id: string, server: StandInServer) => void = (id, server) => server.run(id);
  /** Takes requests and answers none. */
  silent = false;
  private readonly askedFor = new Set<() => void>();
  /** Breaks the connection of the next create after doing it. */
  loseNextAnswer = false;
  refuse: { code: ProblemCode; detail: string } | undefined;
  private http: Server | undefined;
  private readonly sockets = new Set<Duplex>();
  private port = 0;
  private created = 0;

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<this> {
    const webSockets = new WebSocketServer({ noServer: true });
    this.http = createServer((request, response) => void this.answer(request, response));
    this.http.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.http.on('upgrade', (request, socket, head) => this.upgrade(webSockets, { request, socket, head }));
    this.http.listen(this.port, '127.0.0.1');
    await once(this.http, 'listening');
    this.port = (this.http.address() as AddressInfo).port;
    return this;
  }

  /** As kill -9 would: no goodbye. The sessions stay, for the next `listen`. */
  async stop(): Promise<void> {
    const http = this.http;
    if (!http?.listening) return;
    const closed = once(http, 'close');
    http.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  asked(path: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => (this.requests.some((request) => request.path === path) ? resolve() : undefined);
      this.askedFor.add(look);
      look();
    });
  }

  run(id: string): void {
    const kept = this.get(id);
    this.move(id, 'running', 'ready', { startedAt: NOW, node: 'n1' });
    kept.workload.start?.(this.processOf(kept));
    for (const socket of kept.sockets) this.attach(kept, socket);
  }

  move(id: string, state: Session['state'], reason: string, changes: Partial<Session> = {}): void {
    const kept = this.get(id);
    kept.session = { ...kept.session, ...changes, state, reason };
    this.tell(id, 'state', reason);
  }

  /** As the real one: whoever is attached hears of the end, whether it ever ran or not. */
  fail(id: string, state: 'error' | 'cancelled', cause: Session['cause'], reason: string): void {
    const kept = this.get(id);
    this.move(id, state, reason, { cause, endedAt: NOW });
    for (const socket of kept.sockets) this.finish(kept, socket);
  }

  private finish({ session }: Kept, socket: WebSocket): void {
    control(socket, { type: 'attached', replayedBytes: 0 });
    control(socket, { type: 'exit', code: session.exitCode ?? 1, message: session.reason, cause: session.cause });
    socket.close(1000);
  }

  tell(id: string, kind: SessionEvent['kind'], message: string): void {
    const kept = this.get(id);
    kept.events.push({ id: String(kept.events.length + 1), sessionId: id, at: NOW, kind, state: kept.session.state, message });
    for (const follower of kept.followers) follower();
  }

  change(id: string, changes: Partial<Session>): void {
    const kept = this.get(id);
    kept.session = { ...kept.session, ...changes };
  }

  get(id: string): Kept {
    const found = [...this.sessions.values()].find(({ session }) => session.id.startsWith(id) || session.name === id);
    if (found === undefined) throw new Refused('not-found', `there is no session "${id}"`);
    return found;
  }

  add(body: CreateSessionInput): Session {
    const wish = CreateSession.parse(body);
    const id = `0199a3b4-c5d6-7${String(++this.created).padStart(3, '0')}-8f00-${randomUUID().slice(-12)}`;
    const session = standInSession(wish, { id, name: `session-${this.created}` });
    this.sessions.set(id, { session, workload: this.workload, events: [], output: [], followers: new Set(), sockets: new Set() });
    this.tell(id, 'created', 'created');
    return session;
  }

  private processOf(kept: Kept): Process {
    return {
      write: (stream, data) => {
        const bytes = Buffer.from(data);
        kept.output.push({ stream, bytes });
        for (const socket of kept.sockets) socket.send(encodeFrame(CHANNEL[stream], bytes));
      },
      exit: (code, end = {}) => {
        for (const socket of kept.sockets) control(socket, { type: 'exit', code, message: `exit ${code}`, cause: end.cause ?? null });
        for (const socket of kept.sockets) socket.close(1000);
        this.move(kept.session.id, end.state ?? 'terminated', `exit ${code}`, { exitCode: code, cause: end.cause ?? null, endedAt: NOW });
      },
    };
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const sent = await buffer(request);
    const body: unknown = request.method === 'GET' ? undefined : request.method === 'PUT' ? sent : JSON.parse(sent.toString() || 'null');
    this.requests.push({ method: request.method ?? '', path: url.pathname, body });
    for (const look of this.askedFor) look();
    if (this.silent) return;
    try {
      if (url.pathname !== '/api/version' && request.headers.authorization !== `Bearer ${TOKEN}`) {
        throw new Refused('not-signed-in', 'the token is not known here.');
      }
      const result = this.handle(request, { url, body, response });
      if (result === undefined) return;
      response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      response.writeHead(PROBLEMS[error.code].status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(error.problem));
    }
  }

  private handle(request: IncomingMessage, { url, body, response }: { url: URL; body: unknown; response: ServerResponse }): unknown {
    const [, , noun, id, verb] = url.pathname.split('/');
    if (noun === 'version') return { name: 'berth', version: '0.1.0', api: 1 };
    if (noun === 'me' && id === 'callback-key') return { key: CALLBACK_KEY };
    if (noun === 'me') return { id: 'u1', name: 'ada', role: 'admin', domain: 'default', disabled: false, createdAt: NOW };
    if (noun === 'nodes') return { items: [], next: null };
    if (noun === 'keypairs') {
      const answer = this.keypairs.answer(request.method, id, body);
      if (answer === undefined) throw new Refused('not-found', `you have no key pair "${id}"`);
      return answer;
    }
    if (noun === 'storages') {
      const answer = this.storages.answer(request.method, id, body);
      if (answer === undefined) throw new Refused('not-found', `you have no storage named "${id}"`);
      return answer;
    }
    if (noun !== 'sessions') throw new Refused('not-found', `no ${url.pathname}`);
    if (request.method === 'POST' && id === undefined) return this.create(body as CreateSessionInput, response);
    if (id === undefined) return { items: this.list(url.searchParams), next: null };
    const kept = this.get(id);
    if (verb === undefined) return kept.session;
    if (verb === 'terminate') return this.terminate(kept);
    if (verb === 'rename') return (kept.session = { ...kept.session, ...RenameSession.parse(body) });
    if (verb === 'restart') {
      this.soon(kept.session.id, 'restarting', () =>
        this.move(kept.session.id, 'running', 'restarted', { restarts: kept.session.restarts + 1 }),
      );
      return { ...kept.session, state: 'running' };
    }
    if (verb === 'statistics') return standInStatistics(kept.session);
    if (verb === 'commit') return (kept.session = { ...kept.session, commit: standInCommit(CommitSession.parse(body).image) });
    if (verb === 'executions') return this.runs.answer(body);
    if (verb === 'interrupt') {
      this.runs.interrupt();
      return kept.session;
    }
    if (verb === 'events') return this.streamEvents(kept, { request, response });
    if (verb === 'logs') {
      const stream = url.searchParams.get('stream') ?? 'both';
      response.end(Buffer.concat(kept.output.filter((part) => stream === 'both' || part.stream === stream).map(({ bytes }) => bytes)));
      return undefined;
    }
    if (verb === 'file-list') return this.files.list(url.searchParams);
    if (verb === 'files' && request.method === 'PUT') return this.files.write(url.searchParams, body as Buffer);
    if (verb === 'files') {
      if (!this.files.read(url.searchParams, response)) throw new Refused('not-found', 'there is no such file');
      return undefined;
    }
    throw new Refused('not-found', `no ${url.pathname}`);
  }

  private list(query: URLSearchParams): Session[] {
    const all = [...this.sessions.values()].map(({ session }) => session).toReversed();
    const states = query.get('state')?.split(',');
    return all.filter(({ state }) => (states ? states.includes(state) : query.get('all') === 'true' || !FINAL.includes(state)));
  }

  private create(body: CreateSessionInput, response: ServerResponse): Session | undefined {
    if (this.refuse) throw new Refused(this.refuse.code, this.refuse.detail);
    const token = body.clientToken ?? randomUUID();
    const known = this.byClientToken.get(token);
    if (known !== undefined) return this.get(known).session;
    const session = this.add(body);
    this.byClientToken.set(token, session.id);
    this.launch(session.id, this);
    if (!this.loseNextAnswer) return this.get(session.id).session;
    this.loseNextAnswer = false;
    response.destroy();
    return undefined;
  }

  private terminate(kept: Kept): Session {
    const { id, state } = kept.session;
    if (FINAL.includes(state)) return kept.session;
    if (state === 'pending') this.fail(id, 'cancelled', null, 'cancelled by ada');
    else this.soon(id, 'terminating', () => this.processOf(kept).exit(143));
    return kept.session;
  }

  /** What is wanted is granted at once and done later, as by a reconciler. */
  private soon(id: string, state: Session['state'], act: () => void): void {
    setTimeout(() => {
      this.move(id, state, state);
      setTimeout(act, 20);
    }, 20);
  }

  private streamEvents(kept: Kept, { request, response }: { request: IncomingMessage; response: ServerResponse }): undefined {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = Number(request.headers['last-event-id'] ?? 0);
    const send = (): void => {
      for (const event of kept.events.slice(sent)) response.write(`id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
      sent = kept.events.length;
      if (FINAL.includes(kept.session.state)) response.end();
    };
    kept.followers.add(send);
    request.once('close', () => kept.followers.delete(send));
    send();
  }

  private upgrade(
    webSockets: WebSocketServer,
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  ): void {
    const url = new URL(request.url ?? '/', this.url);
    const [, , , id = '', verb] = url.pathname.split('/');
    this.requests.push({ method: 'WS', path: url.pathname, body: Object.fromEntries(url.searchParams) });
    const kept = this.get(id);
    if (FINAL.includes(kept.session.state) && kept.session.startedAt !== null) {
      const refused = new Refused('wrong-state', 'the session has ended');
      socket.end(
        `HTTP/1.1 409 Conflict\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n${JSON.stringify(refused.problem)}`,
      );
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      if (verb === 'exec') this.exec(kept, webSocket);
      else this.attachWhenRunning(kept, webSocket);
    });
  }

  private attachWhenRunning(kept: Kept, socket: WebSocket): void {
    socket.once('close', () => kept.sockets.delete(socket));
    kept.sockets.add(socket);
    if (FINAL.includes(kept.session.state)) this.finish(kept, socket);
    if (kept.session.state === 'running') this.attach(kept, socket);
  }

  private attach(kept: Kept, socket: WebSocket): void {
    control(socket, { type: 'attached', replayedBytes: kept.output.reduce((sum, { bytes }) => sum + bytes.length, 0) });
    for (const { stream, bytes } of kept.output) socket.send(encodeFrame(CHANNEL[stream], bytes));
    this.listenTo(socket, kept.workload, this.processOf(kept));
  }

  private exec(kept: Kept, socket: WebSocket): void {
    const process: Process = {
      write: (stream, bytes) => socket.send(encodeFrame(CHANNEL[stream], Buffer.from(bytes))),
      exit: (code) => {
        control(socket, { type: 'exit', code, message: `exit ${code}`, cause: null });
        socket.close(1000);
      },
    };
    control(socket, { type: 'attached', replayedBytes: 0 });
    kept.workload.start?.(process);
    this.listenTo(socket, kept.workload, process);
  }

  private listenTo(socket: WebSocket, workload: Workload, process: Process): void {
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame?.channel === CHANNEL.stdin) return workload.input?.(Buffer.from(frame.payload), process);
      if (frame?.channel !== CHANNEL.control) return;
      const message = ControlFromClient.parse(JSON.parse(frame.payload.toString()));
      if (message.type === 'stdin-end') workload.inputEnd?.(process);
      else workload.resize?.(message.rows, message.cols, process);
    });
  }
}

class Refused extends Error {
  readonly code: ProblemCode;
  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }
  get problem() {
    const { status, title } = PROBLEMS[this.code];
    return { type: `urn:berth:problem:${this.code}`, title, status, code: this.code, detail: this.message };
  }
}

const control = (socket: WebSocket, message: ControlFromServer): void => socket.send(encodeFrame(CHANNEL.control, JSON.stringify(message)));
