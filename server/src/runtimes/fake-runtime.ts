import { on } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Usage } from '../domain/sessions/statistics.ts';
import { bootstrapFailed } from './causes.ts';
import { FakeEngine, IDLE, NODE, NO_FACTS, type FakeContainer } from './fake-engine.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeProcess } from './fake-process.ts';
import {
  RuntimeError,
  type ContainerRef,
  type CommitRequest,
  type CommitState,
  type Committable,
  type ContainerSpec,
  type ExecRequest,
  type Freezable,
  type ImageRequest,
  type ImageState,
  type LogChunk,
  type LogOptions,
  type NodeFacts,
  type Observed,
  type Runtime,
  type StartRequest,
  type StorageRef,
  type Terminal,
} from './runtime.ts';

/** What an engine cannot be made to do on demand. May be changed at any time. */
export interface Faults {
  /** Every call takes this long. */
  slowMs?: number;
  /** No port ever answers. */
  neverReady?: boolean;
  /** So many calls succeed; every later one is refused, as something to try again. */
  failAfter?: number;
  unreachable?: boolean;
  /** Containers vanish as soon as they are started. */
  lost?: boolean;
  /** Main processes are killed for memory as soon as they are started. */
  oom?: boolean;
  /** The main process of every container of this name ends with 3 as soon as it is started. */
  failing?: string;
  /** How many times an image is answered as being pulled. */
  pullSteps?: number;
  /** How many times an image of a session is answered as being made. */
  commitSteps?: number;
  /** No image is made of any session. */
  uncommittable?: boolean;
}

export interface FakeOptions {
  readonly engine?: FakeEngine;
  readonly instance?: string;
  readonly node?: Partial<NodeFacts>;
  readonly faults?: Faults;
  /** References that no registry has. */
  readonly missingImages?: readonly string[];
}

/** A runtime in memory: for the rules of the reconciler, and for what goes wrong. */
export class FakeRuntime implements Runtime, Freezable, Committable {
  readonly kind = 'fake';
  readonly orchestrates = false;
  readonly logsApart = true;
  readonly engine: FakeEngine;
  readonly faults: Faults;
  readonly #options: FakeOptions;
  readonly #instance: string;
  #calls = 0;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.engine = options.engine ?? new FakeEngine();
    this.faults = options.faults ?? {};
    this.#instance = options.instance ?? 'fake';
  }

  async ensureImage(request: ImageRequest): Promise<ImageState> {
    await this.#call();
    const digest = digestOf(request.reference);
    const missing = this.#options.missingImages?.includes(request.reference) === true;
    const known = this.engine.images.has(request.reference);
    const present = { phase: 'present', digest, facts: this.engine.imageFacts.get(request.reference) ?? NO_FACTS } as const;
    if (known && request.pull !== 'always') return present;
    if (missing || request.pull === 'never') throw imageNotFound(request.reference);
    const step = (this.engine.pulls.get(request.key) ?? 0) + 1;
    this.engine.pulls.set(request.key, step);
    const steps = this.faults.pullSteps ?? 0;
    if (step <= steps) return { phase: 'pulling', progress: `layer ${step} of ${steps}` };
    this.engine.images.add(request.reference);
    return present;
  }

  async ensureStorage(_node: string, storage: StorageRef, _imageDigest: string): Promise<void> {
    await this.#call();
    if (!this.engine.storages.has(storage.name)) this.engine.storages.set(storage.name, new Map());
  }

  async removeStorage(storage: StorageRef): Promise<void> {
    await this.#call();
    const holder = [...this.engine.containers.values()].find(({ spec }) =>
      spec.mounts.some((mount) => mount.storage.name === storage.name),
    );
    if (holder !== undefined) throw refused(`the storage is in use by session ${holder.spec.ref.sessionId}`);
    this.engine.storages.delete(storage.name);
  }

  async create(spec: ContainerSpec): Promise<void> {
    await this.#call();
    const key = keyOf(spec.ref);
    if (this.engine.containers.has(key)) return;
    const observed: Observed = { ref: spec.ref, phase: 'created' };
    this.engine.containers.set(key, { spec, instance: this.#instance, log: [], terminals: new Set(), observed, process: undefined });
    this.engine.created.set(key, (this.engine.created.get(key) ?? 0) + 1);
    this.#happened(spec.ref);
  }

  async start(ref: ContainerRef, { bootstrapScript, seen }: StartRequest = {}): Promise<void> {
    await this.#call();
    const container = this.#present(ref);
    const { startedAt } = container.observed;
    if (seen !== undefined && startedAt !== undefined && startedAt.getTime() !== seen.startedAt?.getTime()) return;
    if (container.observed.phase === 'frozen') return this.thaw(ref);
    if (container.observed.phase === 'running') return;
    container.observed = {
      ref,
      phase: 'running',
      startedAt: new Date(Math.max(Date.now(), (container.observed.startedAt?.getTime() ?? 0) + 1)),
      ...(bootstrapScript !== undefined && { bootstrapping: true }),
    };
    if (this.faults.lost === true) return this.lose(ref);
    if (bootstrapScript === undefined) this.#run(container);
    else this.#bootstrap(container, bootstrapScript);
    if (this.faults.oom === true) this.killForMemory(ref);
    if (this.faults.failing === ref.container) this.exit(ref, 3);
    this.#happened(ref);
  }

  #bootstrap(container: FakeContainer, script: string): void {
    const { ref } = container.spec;
    const running = new FakeProcess(['sh', '-c', script], this.#filesOf(container));
    container.process = running;
    void running.exited.then((code) => {
      if (container.process !== running) return;
      if (code !== 0) return this.exit(ref, code, { cause: bootstrapFailed(code) });
      container.observed = past(container.observed);
      this.#run(container);
      this.#happened(ref);
    });
  }

  #run(container: FakeContainer): void {
    const { ref } = container.spec;
    const running = new FakeProcess(container.spec.command, this.#filesOf(container));
    container.process = running;
    running.output((chunk) => {
      container.log.push(chunk);
      for (const terminal of container.terminals) terminal.write(chunk.data);
    });
    void running.exited.then((code) => {
      if (container.process === running) this.exit(ref, code);
    });
  }

  async stop(ref: ContainerRef, _graceSeconds: number): Promise<void> {
    await this.#call();
    const phase = this.#find(ref)?.observed.phase;
    if (phase === 'running' || phase === 'frozen') this.exit(ref, 143);
  }

  async remove(ref: ContainerRef): Promise<void> {
    await this.#call();
    if (this.#find(ref) !== undefined) this.lose(ref);
  }

  async freeze(ref: ContainerRef): Promise<void> {
    await this.#call();
    this.#swap(ref, 'running', 'frozen');
  }

  async thaw(ref: ContainerRef): Promise<void> {
    await this.#call();
    this.#swap(ref, 'frozen', 'running');
  }

  async inspect(ref: ContainerRef): Promise<Observed> {
    await this.#call();
    return this.#find(ref)?.observed ?? { ref, phase: 'absent' };
  }

  async list(): Promise<readonly Observed[]> {
    await this.#call();
    return [...this.engine.containers.values()]
      .filter((container) => container.instance === this.#instance)
      .map((container) => container.observed);
  }

  async traces(): Promise<readonly string[]> {
    await this.#call();
    return [];
  }

  async clear(): Promise<void> {
    await this.#call();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async nodes(): Promise<readonly NodeFacts[]> {
    await this.#call();
    return [{ ...NODE, ...this.#options.node }];
  }

  async *watch(signal: AbortSignal): AsyncGenerator<ContainerRef> {
    await this.#call();
    try {
      for await (const [ref] of on(this.engine.events, 'container', { signal })) yield ref as ContainerRef;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async endpoint(ref: ContainerRef, port: number): Promise<{ host: string; port: number } | undefined> {
    await this.#call();
    return this.faults.neverReady === true || this.#find(ref)?.observed.phase !== 'running' ? undefined : { host: '127.0.0.1', port };
  }

  async *logs(ref: ContainerRef, options: LogOptions): AsyncGenerator<LogChunk> {
    await this.#call();
    const { log, ...container } = { ...this.#present(ref) };
    let next = 0;
    for (;;) {
      for (let chunk = log[next]; chunk !== undefined; chunk = log[next]) {
        next += 1;
        yield chunk;
      }
      if (!options.follow || options.signal.aborted || container.process?.alive !== true) return;
      await container.process.changed(options.signal);
    }
  }

  async attach(ref: ContainerRef): Promise<Terminal> {
    await this.#call();
    const container = this.#present(ref);
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const stdin = new PassThrough();
    container.terminals.add(stdout);
    stdin.on('data', (data: Buffer) => container.process?.write(data));
    stdin.on('end', () => {
      if (container.spec.stdin === 'once') container.process?.end();
    });
    const exited = new Promise<undefined>((resolve) => stdout.once('finish', () => resolve(undefined)));
    stdout.once('finish', () => stderr.end());
    const close = (): void => {
      container.terminals.delete(stdout);
      stdout.end();
    };
    return { stdin, stdout, stderr, exited, resize: async () => undefined, close };
  }

  async exec(ref: ContainerRef, request: ExecRequest): Promise<Terminal> {
    await this.#call();
    if (this.#present(ref).observed.phase !== 'running') throw refused('a command cannot be run in the session now: it is not running');
    const process = new FakeProcess(request.command, this.#filesOf(this.#present(ref)));
    const out = { stdout: new PassThrough(), stderr: new PassThrough() };
    const stdin = new PassThrough();
    process.output((chunk) => out[chunk.stream].write(chunk.data));
    stdin.on('data', (data: Buffer) => process.write(data));
    stdin.on('end', () => process.end());
    const exited = process.exited.then((code) => {
      out.stdout.end();
      out.stderr.end();
      return code;
    });
    return { stdin, ...out, exited, resize: async () => undefined, close: () => process.kill(129) };
  }

  async statistics(ref: ContainerRef): Promise<Usage | undefined> {
    await this.#call();
    const container = this.#find(ref);
    const { startedAt, phase }: Partial<Observed> = container?.observed ?? {};
    if (container === undefined || startedAt === undefined || (phase !== 'running' && phase !== 'frozen')) return undefined;
    return this.engine.usage.get(container.spec.hostname) ?? { ...IDLE, cpuMs: Date.now() - startedAt.getTime() };
  }

  async commit({ ref, reference, key }: CommitRequest): Promise<CommitState> {
    await this.#call();
    this.#present(ref);
    if (this.faults.uncommittable === true) throw refused('the fake engine makes no image of this');
    const step = (this.engine.pulls.get(key) ?? 0) + 1;
    this.engine.pulls.set(key, step);
    const steps = this.faults.commitSteps ?? 0;
    if (step <= steps) return { phase: 'working', progress: `layer ${step} of ${steps}` };
    this.engine.images.add(reference);
    return { phase: 'done', digest: digestOf(reference) };
  }

  // What happens behind the server's back.

  /** The main process ends. */
  exit(ref: ContainerRef, exitCode: number, more: Partial<Observed> = {}): void {
    const container = this.#present(ref);
    container.observed = { ...past(container.observed), phase: 'exited', exitCode, finishedAt: new Date(), ...more };
    container.process?.kill(exitCode);
    container.process = undefined;
    for (const terminal of container.terminals) terminal.end();
    container.terminals.clear();
    this.#happened(ref);
  }

  killForMemory(ref: ContainerRef): void {
    this.exit(ref, 137, {
      cause: { code: 'out-of-memory', message: 'out of memory: it needed more than its limit', remedy: 'Ask for more with --memory.' },
    });
  }

  /** The container is gone, with all it wrote. */
  lose(ref: ContainerRef): void {
    this.exit(ref, 137);
    this.engine.containers.delete(keyOf(ref));
    this.#happened(ref);
  }

  /** Everything that ran is interrupted. */
  restartEngine(): void {
    for (const { observed } of this.engine.containers.values()) {
      if (observed.phase === 'running' || observed.phase === 'frozen') this.exit(observed.ref, 255, { interrupted: true });
    }
  }

  async #call(): Promise<void> {
    this.#calls += 1;
    if (this.faults.slowMs !== undefined) await new Promise((resolve) => setTimeout(resolve, this.faults.slowMs));
    if (this.faults.unreachable === true)
      throw new RuntimeError('unreachable', { code: 'engine-unavailable', message: 'the fake engine is not running', remedy: 'Start it.' });
    if (this.faults.failAfter !== undefined && this.#calls > this.faults.failAfter)
      throw refused(`the fake engine fails after ${this.faults.failAfter} calls`);
  }

  #filesOf({ spec }: FakeContainer): FakeFiles {
    return new FakeFiles(this.engine.storages, spec.mounts);
  }

  #find(ref: ContainerRef): FakeContainer | undefined {
    const container = this.engine.containers.get(keyOf(ref));
    return container?.instance === this.#instance ? container : undefined;
  }

  #present(ref: ContainerRef): FakeContainer {
    const container = this.#find(ref);
    if (container === undefined)
      throw new RuntimeError('retry', {
        code: 'container-lost',
        message: 'the engine has no container of this session',
        remedy: 'Start the session again.',
      });
    return container;
  }

  #swap(ref: ContainerRef, from: 'running' | 'frozen', to: 'running' | 'frozen'): void {
    const container = this.#present(ref);
    if (container.observed.phase === to) return;
    if (container.observed.phase !== from) throw refused(`the container is ${container.observed.phase}, not ${from}`);
    container.observed = { ...container.observed, phase: to };
    this.#happened(ref);
  }

  #happened(ref: ContainerRef): void {
    this.engine.events.emit('container', ref);
  }
}

/** Its bootstrap script is over. */
function past(observed: Observed): Observed {
  const { bootstrapping: _, ...rest } = observed;
  return rest;
}

const keyOf = (ref: ContainerRef): string => `${ref.sessionId}/${ref.generation}/${ref.container}`;

const refused = (message: string): RuntimeError => new RuntimeError('retry', { code: 'rejected', message, remedy: 'Try again.' });

const imageNotFound = (reference: string): RuntimeError =>
  new RuntimeError('fatal', { code: 'image-not-found', message: `there is no image "${reference}"`, remedy: 'Check its name and tag.' });

const digestOf = (reference: string): string => `sha256:${Buffer.from(reference).toString('hex').padEnd(64, '0').slice(0, 64)}`;
