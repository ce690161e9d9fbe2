import { afterAll, beforeAll, expect, test } from 'vitest';
import { StartGate } from '../../src/reconciler/start-gate.ts';
import { FakeRuntime } from '../../src/runtimes/fake-runtime.ts';
import type { ContainerRef, LogChunk, LogOptions, Terminal } from '../../src/runtimes/runtime.ts';
import { FakeReconciler } from '../support/fake-reconciler.ts';
import { until } from '../support/until.ts';
import { ApiServer } from './api-server.ts';
import { AttachClient } from './attach-client.ts';

const GATE_MS = 50;

/** Attaches at once and says so only when told to: a cluster whose answer takes longer than the start waits for it. */
class SlowToAttach extends FakeRuntime {
  attached = 0;
  answer = Promise.withResolvers<void>();

  override async attach(ref: ContainerRef): Promise<Terminal> {
    const terminal = await super.attach(ref);
    this.attached += 1;
    if (this.attached === 1) await this.answer.promise;
    return terminal;
  }
}

/** Prints once more as soon as its log has been read, where it is told to. */
class PrintsMeanwhile extends SlowToAttach {
  line: string | undefined;

  override async *logs(ref: ContainerRef, options: LogOptions): AsyncGenerator<LogChunk> {
    yield* super.logs(ref, options);
    if (this.line === undefined) return;
    for (const { process } of this.engine.containers.values()) process?.write(Buffer.from(this.line));
    this.line = undefined;
  }
}

/** Shows a prompt whenever it is resized to its client's size, the first two times before anybody can see it. */
class ResizesTooSoon extends PrintsMeanwhile {
  resized = 0;

  override async attach(ref: ContainerRef): Promise<Terminal> {
    const terminal = await super.attach(ref);
    const resize = async ({ cols }: { cols: number }): Promise<void> => {
      if (cols !== SIZE.cols) return;
      this.resized += 1;
      if (this.resized > 2) terminal.stdout.push('$ ');
    };
    return { ...terminal, resize };
  }
}

const SIZE = { rows: 20, cols: 90 };
const runtime = new ResizesTooSoon();
let server: ApiServer;
let reconciler: FakeReconciler;
beforeAll(async () => {
  const gate = new StartGate(GATE_MS);
  server = await ApiServer.start({}, { runtime, firstByte: gate });
  reconciler = await FakeReconciler.start(server.storage, {}, runtime, gate);
});
afterAll(async () => {
  await reconciler.stop();
  await server.dispose();
});

test('who attaches too late for the first byte is attached once, and sees everything once', async () => {
  const { client, token } = server.people.alice;
  const startsAt = new Date(Date.now() + 1_500).toISOString();
  const { id } = await client.createSession({ body: { type: 'batch', command: ['cat'], startsAt } });
  const person = await AttachClient.open({ url: server.url, token }, `/api/sessions/${id}/attach`);
  await until(client, id, 'running', ({ state }) => state === 'running');
  for (const { process } of runtime.engine.containers.values()) process?.write(Buffer.from('hello\n'));
  runtime.answer.resolve();
  await person.sees('hello');
  for (const { observed } of runtime.engine.containers.values()) runtime.exit(observed.ref, 0);
  expect(await person.exit()).toMatchObject({ code: 0 });
  expect([person.stdout, runtime.attached]).toEqual(['hello\n', 1]);
});

test('what the next process prints is not taken for what the last one did, though it is the same', async () => {
  const { client, token } = server.people.alice;
  const { id } = await client.createSession({ body: { command: ['cat'] } });
  await until(client, id, 'running', ({ state }) => state === 'running');
  const person = await AttachClient.open({ url: server.url, token }, `/api/sessions/${id}/attach`);
  await person.attached();
  for (const { process } of runtime.engine.containers.values()) process?.write(Buffer.from('begun\n'));
  await person.sees('begun');
  runtime.line = 'begun\n';
  await client.restartSession({ params: { session: id }, body: {} });
  await person.sees(/^begun\nbegun\n$/);
  await client.terminateSession({ params: { session: id }, body: {} });
  await person.exit();
  expect(person.stdout).toBe('begun\nbegun\n');
});

test('a terminal that was resized before its output came this way is asked again to draw', async () => {
  const { client, token } = server.people.alice;
  const { id } = await client.createSession({ body: { command: ['cat'], tty: true, stdin: 'open' } });
  await until(client, id, 'running', ({ state }) => state === 'running');
  const person = await AttachClient.open({ url: server.url, token }, `/api/sessions/${id}/attach`, SIZE);
  await person.sees('$ ');
  await client.terminateSession({ params: { session: id }, body: {} });
  await person.exit();
  expect(runtime.resized).toBe(3);
});
