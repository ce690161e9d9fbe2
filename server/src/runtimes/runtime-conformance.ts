import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { canFreeze, type ContainerRef, type ContainerSpec, type Observed, type Runtime, type StorageRef } from './runtime.ts';
import { describeUsage } from './usage-conformance.ts';

/** Engines of other tests are busy, too: how long to wait for a condition, not how fast it should come. */
const PATIENCE = { timeout: 60_000, interval: 25 };

export interface Bench {
  readonly runtime: Runtime;
  /** One more server process of the same installation, after a crash of the first. */
  again(): Runtime;
  /** Another installation on the same engine. */
  readonly stranger: Runtime;
  /** An image that is on the node, with a shell, echo, cat and sleep. */
  readonly image: string;
  close(): Promise<void>;
}

/** A container spec with nothing remarkable in it, for a new session. */
export function plainSpec(imageDigest: string, changes: Partial<ContainerSpec> = {}): ContainerSpec {
  const sessionId = randomUUID();
  return {
    ref: { sessionId, generation: 1, container: 'main1' },
    node: '',
    owner: 'owner-id',
    project: 'project-id',
    imageDigest,
    pull: 'missing',
    command: ['sleep', '1000'],
    keepEntrypoint: false,
    tty: false,
    stdin: 'closed',
    env: {},
    user: { name: 'ada', uid: 1000, gid: 1000, home: '/home/ada' },
    hostname: 'test',
    workDir: '/',
    port: null,
    limits: { cpus: 0.5, memoryBytes: 128 * 2 ** 20, sharedMemoryBytes: 64 * 2 ** 20, pids: 128, devices: [], gpus: 0 },
    stopGraceSeconds: 2,
    reserved: true,
    mounts: [],
    egress: 'open',
    ...changes,
  };
}

export async function untilPhase(runtime: Runtime, ref: ContainerRef, phase: Observed['phase']): Promise<Observed> {
  await expect.poll(async () => (await runtime.inspect(ref)).phase, PATIENCE).toBe(phase);
  return runtime.inspect(ref);
}

export async function logText(runtime: Runtime, ref: ContainerRef, options: { follow: boolean }): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of runtime.logs(ref, { ...options, signal: AbortSignal.timeout(PATIENCE.timeout) })) chunks.push(chunk.data);
  return Buffer.concat(chunks).toString('utf8');
}

/** The digest of an image that is there, or comes. */
export async function digestOf(runtime: Runtime, reference: string): Promise<string> {
  const key = randomUUID();
  for (;;) {
    const state = await runtime.ensureImage({ node: 'node', reference, pull: 'missing', key });
    if (state.phase === 'present') return state.digest;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE.interval));
  }
}

/** What the reconciler relies on, whatever runs the containers. */
export function describeRuntime(name: string, make: () => Promise<Bench>): void {
  describe(`${name} keeps what every runtime promises`, () => {
    let bench: Bench;
    let runtime: Runtime;
    let digest: string;
    const made: ContainerRef[] = [];

    beforeAll(async () => {
      bench = await make();
      runtime = bench.runtime;
      digest = await digestOf(runtime, bench.image);
    });
    afterEach(async () => {
      await Promise.all(made.splice(0).map((ref) => runtime.remove(ref)));
    });
    afterAll(() => bench?.close());

    const specified = (changes: Partial<ContainerSpec> = {}): ContainerSpec => {
      const spec = plainSpec(digest, changes);
      made.push(spec.ref);
      return spec;
    };
    const started = async (changes: Partial<ContainerSpec> = {}): Promise<ContainerRef> => {
      const spec = specified(changes);
      await runtime.create(spec);
      await runtime.start(spec.ref);
      return spec.ref;
    };

    it('says that an image is absent where pulling is ruled out', async () => {
      if (runtime.orchestrates) {
        const spec = specified({ imageDigest: 'berth-test/absent:1', pull: 'never' });
        await runtime.create(spec);
        const { cause } = await untilPhase(runtime, spec.ref, 'exited');
        return expect(cause).toMatchObject({ code: 'image-not-found' });
      }
      const absent = runtime.ensureImage({ node: 'node', reference: 'berth-test/absent:1', pull: 'never', key: randomUUID() });
      await expect(absent).rejects.toMatchObject({ name: 'RuntimeError', kind: 'fatal', failure: { code: 'image-not-found' } });
    });

    it('succeeds at everything done twice', async () => {
      const storage = { name: `twice-${randomUUID()}`, uid: 1000, gid: 1000 };
      const spec = specified({ mounts: [{ storage, target: '/home/ada', readOnly: false }] });
      const freezable = canFreeze(runtime) ? runtime : undefined;
      const steps = [
        () => runtime.ensureStorage('node', storage, digest),
        () => runtime.create(spec),
        () => runtime.start(spec.ref),
        ...(freezable === undefined ? [] : [() => freezable.freeze(spec.ref), () => freezable.thaw(spec.ref)]),
        () => runtime.stop(spec.ref, 0),
        () => runtime.remove(spec.ref),
      ];
      for (const step of steps) {
        await step();
        await step();
      }
      expect(await runtime.inspect(spec.ref)).toEqual({ ref: spec.ref, phase: 'absent' });
    });

    it('finds a container that a crashed server made, and makes no second', async () => {
      const spec = specified();
      await runtime.create(spec);
      const next = bench.again();
      await next.create(spec);
      await next.start(spec.ref);
      const before = await untilPhase(next, spec.ref, 'running');
      await runtime.create(spec);
      await runtime.start(spec.ref);
      expect(await runtime.inspect(spec.ref)).toEqual(before);
      expect((await runtime.list()).filter((container) => container.ref.sessionId === spec.ref.sessionId)).toHaveLength(1);
    });

    it('makes one container when two servers create at once', async () => {
      const spec = specified();
      await Promise.all([runtime.create(spec), bench.again().create(spec)]);
      expect((await runtime.list()).filter((container) => container.ref.sessionId === spec.ref.sessionId)).toHaveLength(1);
    });

    it('tells generations of one session apart', async () => {
      const ref = await started();
      expect(await runtime.inspect({ ...ref, generation: 2 })).toMatchObject({ phase: 'absent' });
      await runtime.remove({ ...ref, generation: 2 });
      expect(await runtime.inspect(ref)).toMatchObject({ phase: 'running' });
    });

    it('lets containers of one session find each other, and removes one without the others', async () => {
      const { ref } = plainSpec(digest);
      const others = { ...ref, container: 'sub1' };
      await Promise.all([
        started({ ref, peers: ['sub1'] }),
        started({ ref: others, peers: ['main1'], command: [], tty: true, stdin: 'open' }),
      ]);
      expect((await runtime.list()).filter(({ ref: { sessionId } }) => sessionId === ref.sessionId)).toHaveLength(2);
      const find = async () => (await runtime.exec(ref, { command: ['getent', 'hosts', 'sub1'], tty: null })).exited;
      if (runtime.kind !== 'fake') await expect.poll(find, PATIENCE).toBe(0);
      await runtime.remove(others);
      expect(await runtime.inspect(ref)).toMatchObject({ phase: 'running' });
      expect(await runtime.inspect(others)).toMatchObject({ phase: 'absent' });
    });

    it('is content with absent containers, and says that they are absent', async () => {
      const ref = { sessionId: randomUUID(), generation: 1, container: 'main1' };
      await runtime.stop(ref, 0);
      await runtime.remove(ref);
      expect(await runtime.inspect(ref)).toEqual({ ref, phase: 'absent' });
      await expect(runtime.start(ref)).rejects.toMatchObject({ name: 'RuntimeError', failure: { code: 'container-lost' } });
      await expect(runtime.exec(ref, { command: ['true'], tty: null })).rejects.toMatchObject({ name: 'RuntimeError' });
    });

    it('lists what is of this installation, and nothing else', async () => {
      const ref = await started();
      const mine = (await runtime.list()).map((container) => container.ref);
      expect(mine).toContainEqual(ref);
      expect((await bench.stranger.list()).map((container) => container.ref)).not.toContainEqual(ref);
      await bench.stranger.remove(ref);
      expect(await runtime.inspect(ref)).toMatchObject({ phase: 'running' });
    });

    it('loses no first byte to a client that attached before the start', async () => {
      const spec = specified({ command: ['echo', 'first'] });
      await runtime.create(spec);
      const terminal = await runtime.attach(spec.ref);
      await runtime.start(spec.ref);
      expect(await text(terminal.stdout)).toBe('first\n');
      expect(await terminal.exited).toBeUndefined();
    });

    it('ends the input of a session whose input is handed over once', async () => {
      const spec = specified({ command: ['cat'], stdin: 'once' });
      await runtime.create(spec);
      const terminal = await runtime.attach(spec.ref);
      await runtime.start(spec.ref);
      terminal.stdin.end('all there is\n');
      expect(await text(terminal.stdout)).toBe('all there is\n');
      expect(await untilPhase(runtime, spec.ref, 'exited')).toMatchObject({ exitCode: 0 });
    });

    it('runs a bootstrap script before the command, which it says', async () => {
      const bootstrapScript = 'exit 0';
      const spec = specified({ command: ['echo', 'first'], bootstrapScript });
      await runtime.create(spec);
      await runtime.start(spec.ref, { bootstrapScript });
      const ended = await untilPhase(runtime, spec.ref, 'exited');
      expect(ended).toMatchObject({ exitCode: 0 });
      expect(ended.cause).toBeUndefined();
      expect(await logText(runtime, spec.ref, { follow: false })).toBe('first\n');
    });

    it('says that a bootstrap script is at work, also to a server that did not start it', async () => {
      const bootstrapScript = 'sleep 600';
      const spec = specified({ bootstrapScript });
      await runtime.create(spec);
      await runtime.start(spec.ref, { bootstrapScript });
      expect(await untilPhase(bench.again(), spec.ref, 'running')).toMatchObject({ bootstrapping: true });
      await bench.again().start(spec.ref, { bootstrapScript });
      expect(await runtime.inspect(spec.ref)).toMatchObject({ phase: 'running', bootstrapping: true });
    });

    it('runs no command whose bootstrap script has failed', async () => {
      const bootstrapScript = 'exit 3';
      const spec = specified({ command: ['echo', 'never'], bootstrapScript });
      await runtime.create(spec);
      await runtime.start(spec.ref, { bootstrapScript });
      expect(await untilPhase(runtime, spec.ref, 'exited')).toMatchObject({ exitCode: 3, cause: { code: 'bootstrap-failed' } });
      expect(await logText(runtime, spec.ref, { follow: false })).toBe('');
    });

    it('runs the bootstrap script again when the container is started again', async () => {
      if (runtime.orchestrates) return;
      const spec = specified({ bootstrapScript: 'exit 0' });
      await runtime.create(spec);
      await runtime.start(spec.ref, { bootstrapScript: 'exit 0' });
      await expect.poll(async () => (await runtime.inspect(spec.ref)).bootstrapping ?? false, PATIENCE).toBe(false);
      await runtime.stop(spec.ref, 0);
      await untilPhase(runtime, spec.ref, 'exited');
      await runtime.start(spec.ref, { bootstrapScript: 'exit 0' });
      await expect.poll(async () => (await runtime.inspect(spec.ref)).bootstrapping ?? false, PATIENCE).toBe(false);
      await runtime.stop(spec.ref, 0);
      await untilPhase(runtime, spec.ref, 'exited');
      await runtime.start(spec.ref, { bootstrapScript: 'sleep 600' });
      expect(await untilPhase(runtime, spec.ref, 'running')).toMatchObject({ bootstrapping: true });
    });

    it('remembers the exit code of the main process, as no failure', async () => {
      const ref = await started({ command: ['sh', '-c', 'exit 3'] });
      const observed = await untilPhase(runtime, ref, 'exited');
      expect(observed).toMatchObject({ exitCode: 3, finishedAt: expect.any(Date) });
      expect(observed.cause).toBeUndefined();
      expect(observed.interrupted).toBeUndefined();
    });

    it('hands out the log after the end', async () => {
      const ref = await started({ command: ['echo', 'one line'] });
      await untilPhase(runtime, ref, 'exited');
      expect(await logText(runtime, ref, { follow: false })).toBe('one line\n');
      expect(await logText(runtime, ref, { follow: true })).toBe('one line\n');
    });

    it('follows the log until the process ends', async () => {
      const ref = await started({ command: ['cat'], stdin: 'open' });
      const following = logText(runtime, ref, { follow: true });
      const terminal = await runtime.attach(ref);
      terminal.stdin.write('later\n');
      terminal.stdout.resume();
      await expect.poll(() => logText(runtime, ref, { follow: false }), PATIENCE).toBe('later\n');
      await runtime.stop(ref, 0);
      expect(await following).toBe('later\n');
    });

    it('passes on exit code, output and end of input of an exec', async () => {
      const ref = await started();
      expect(await (await runtime.exec(ref, { command: ['sh', '-c', 'exit 7'], tty: null })).exited).toBe(7);
      expect(await (await runtime.exec(ref, { command: ['true'], tty: null })).exited).toBe(0);
      const echo = await runtime.exec(ref, { command: ['cat'], tty: null });
      echo.stdin.end('there and back\n');
      expect(await text(echo.stdout)).toBe('there and back\n');
      expect(await echo.exited).toBe(0);
      expect(await (await runtime.exec(ref, { command: ['/no/such/program'], tty: null })).exited).toBe(127);
    });

    it('keeps the process when a client of its terminal leaves', async () => {
      const ref = await started({ command: ['cat'], stdin: 'open', tty: true });
      const terminal = await runtime.attach(ref);
      terminal.close();
      await terminal.exited;
      const second = await runtime.attach(ref);
      second.stdin.write('still here\n');
      const [first] = (await second.stdout.take(1).toArray()) as Buffer[];
      expect(String(first)).toContain('still here');
      second.close();
      expect(await runtime.inspect(ref)).toMatchObject({ phase: 'running' });
    });

    const stored = async (): Promise<StorageRef> => {
      const storage = { name: `storage-${randomUUID()}`, uid: 1000, gid: 1000 };
      await runtime.ensureStorage('node', storage, digest);
      return storage;
    };
    const mounting = (storage: StorageRef, readOnly = false): Promise<ContainerRef> =>
      started({ mounts: [{ storage, target: '/work/data', readOnly }] });
    const ran = async (ref: ContainerRef, command: readonly string[]): Promise<{ output: string; code: number | undefined }> => {
      const running = await runtime.exec(ref, { command, tty: null });
      return { output: await text(running.stdout), code: await running.exited };
    };
    const WRITE = ['sh', '-c', 'echo kept >/work/data/note'];
    const READ = ['cat', '/work/data/note'];

    it('shares a storage between containers, at once and one after another; who has it for reading cannot write', async () => {
      const storage = await stored();
      const [writer, reader] = await Promise.all([mounting(storage), mounting(storage, true)]);
      expect(await ran(writer, WRITE)).toMatchObject({ code: 0 });
      expect(await ran(reader, READ)).toEqual({ output: 'kept\n', code: 0 });
      expect((await ran(reader, WRITE)).code).not.toBe(0);
      await runtime.remove(writer);
      await bench.again().ensureStorage('node', storage, digest);
      expect(await ran(await mounting(storage), READ)).toEqual({ output: 'kept\n', code: 0 });
    });

    it('removes a storage with all that is in it, once nothing mounts it, and is content when it is gone', async () => {
      const storage = await stored();
      const ref = await mounting(storage);
      expect(await ran(ref, WRITE)).toMatchObject({ code: 0 });
      await runtime.remove(ref);
      await bench.again().removeStorage(storage);
      await runtime.removeStorage(storage);
      await runtime.ensureStorage('node', storage, digest);
      expect((await ran(await mounting(storage), READ)).code).not.toBe(0);
      await runtime.removeStorage({ ...storage, name: `storage-${randomUUID()}` });
    });

    it('freezes and thaws the same process', async () => {
      if (!canFreeze(runtime)) return;
      const ref = await started();
      const before = await untilPhase(runtime, ref, 'running');
      await runtime.freeze(ref);
      expect(await runtime.inspect(ref)).toEqual({ ...before, phase: 'frozen' });
      await runtime.thaw(ref);
      expect(await runtime.inspect(ref)).toEqual(before);
    });

    it('stops and removes what is frozen', async () => {
      if (!canFreeze(runtime)) return;
      const ref = await started();
      await runtime.freeze(ref);
      await runtime.stop(ref, 0);
      expect(await runtime.inspect(ref)).toMatchObject({ phase: 'exited' });
      await runtime.start(ref);
      await runtime.freeze(ref);
      await runtime.remove(ref);
      expect(await runtime.inspect(ref)).toMatchObject({ phase: 'absent' });
    });

    it('starts a stopped container again, with a new time of start, unless the next one takes its place', async () => {
      const ref = await started();
      if (runtime.orchestrates) {
        await runtime.stop(ref, 0);
        const ended = await untilPhase(runtime, ref, 'exited');
        await runtime.start(ref);
        return expect(await runtime.inspect(ref)).toEqual(ended);
      }
      const first = await untilPhase(runtime, ref, 'running');
      await runtime.stop(ref, 0);
      await untilPhase(runtime, ref, 'exited');
      await runtime.start(ref);
      const second = await untilPhase(runtime, ref, 'running');
      expect(second.startedAt?.getTime()).toBeGreaterThan(first.startedAt?.getTime() ?? Number.NaN);
    });

    it('hints at the end of a container', async () => {
      const over = new AbortController();
      const hints: string[] = [];
      const watching = (async () => {
        for await (const ref of runtime.watch(over.signal)) hints.push(ref.sessionId);
      })();
      const ref = await started();
      await runtime.stop(ref, 1);
      await expect.poll(() => hints, PATIENCE).toContain(ref.sessionId);
      over.abort();
      await watching;
    });

    describeUsage({ runtime: () => runtime, started });

    it('says what its node has', async () => {
      const [node] = await runtime.nodes();
      expect(node).toMatchObject({ name: expect.any(String), cpu: expect.any(Number), memoryBytes: expect.any(Number) });
    });
  });
}
