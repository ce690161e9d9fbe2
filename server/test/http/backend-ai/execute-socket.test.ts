import { setTimeout as sleep } from 'node:timers/promises';
import { ProblemError } from '@berth/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Executor } from '../../../src/domain/execution/executor.ts';
import type { RunAnswer, RunStatus, RunStep } from '../../../src/domain/execution/run.ts';
import { BackendAiClient } from './signing-client.ts';
import { ending, Stage } from './stage.ts';

/** Asks for a name, greets whom it is told, and never ends where the code says so. */
class Greeter implements Executor {
  readonly asked: RunStep[] = [];
  readonly interrupted: (string | null)[] = [];

  async run(_: unknown, step: RunStep, { signal }: { signal: AbortSignal }): Promise<RunAnswer> {
    this.asked.push(step);
    if (step.mode === 'query' && step.code === 'refuse') throw new ProblemError('wrong-state', 'it does not run now');
    if (step.mode === 'query') return this.#answer(step.runId, step.code === 'for ever' ? 'continued' : 'waiting-input', 'Who are you? ');
    if (step.mode === 'input') return this.#answer(step.runId, 'finished', `Hello, ${step.text}!`);
    await sleep(60_000, undefined, { signal }).catch(() => undefined);
    return this.#answer(step.runId, 'continued', '');
  }
  async interrupt(_: unknown, runId: string | null): Promise<void> {
    this.interrupted.push(runId);
  }
  async complete(): Promise<readonly string[]> {
    return [];
  }
  #answer(runId: string, status: RunStatus, text: string): RunAnswer {
    const console = text === '' ? [] : [{ stream: 'stdout' as const, text }];
    return { runId, status, exitCode: status === 'finished' ? 0 : null, raised: false, isPassword: false, console };
  }
}

let executor: Greeter;
let stage: Stage;
let client: BackendAiClient;
beforeAll(async () => {
  const run: Executor['run'] = (...all) => executor.run(...all);
  const interrupt: Executor['interrupt'] = (...all) => executor.interrupt(...all);
  stage = await Stage.open({ executor: { run, interrupt, complete: async () => [] } });
  client = new BackendAiClient(stage.server.url, stage.keys.alice, 'stream');
});
beforeEach(() => {
  executor = new Greeter();
});
afterAll(() => stage.close());

test('what it prints comes as it is printed, what it asks for is typed as plain text, and its end ends the connection', async () => {
  const { id } = await stage.running();
  const socket = await client.socket(`/stream/session/${id}/execute`).open();
  socket.send({ mode: 'query', code: 'greet', options: null });
  await socket.sees(() => socket.messages.length === 1);
  expect(socket.messages[0]).toMatchObject({ status: 'waiting-input', exitCode: null, console: [['stdout', 'Who are you? ']] });
  socket.send('Ada');
  expect(await socket.closed).toBe(1000);
  expect(socket.messages[1]).toMatchObject({ status: 'finished', exitCode: 0, console: [['stdout', 'Hello, Ada!']] });
  expect(executor.interrupted).toEqual([]);
});

test('who goes away interrupts the run', async () => {
  const { id } = await stage.running();
  const socket = await client.socket(`/stream/session/${id}/execute`).open();
  socket.send({ mode: 'query', code: 'for ever' });
  await socket.sees(() => executor.asked.length === 2);
  socket.vanish();
  await expect.poll(() => executor.interrupted).toEqual([executor.asked[0]?.runId]);
});

test('the end of the session is told as the end of the run', async () => {
  const { id } = await stage.running();
  const socket = await client.socket(`/stream/session/${id}/execute`).open();
  socket.send({ mode: 'query', code: 'for ever' });
  await socket.sees(() => executor.asked.length === 2);
  await stage.become(id, ending('terminated'));
  expect(await socket.closed).toBe(1000);
  expect(socket.messages.at(-1)).toMatchObject({ status: 'finished', exitCode: 130 });
});

test.each([
  ['no JSON', 'print(1)', 'JSON'],
  ['an unknown mode', '{"mode":"sing","code":""}', 'mode'],
  ['what the executor refuses', '{"mode":"query","code":"refuse"}', 'does not run now'],
])('%s is refused in words, over the connection', async (_, message, words) => {
  const { id } = await stage.running();
  const socket = await client.socket(`/stream/session/${id}/execute`).open();
  socket.send(message);
  expect(await socket.closed).toBe(1008);
  expect(socket.messages).toEqual([{ status: 'error', msg: expect.stringContaining(words) }]);
});

test('a session that does not run is refused before the upgrade', async () => {
  const { id } = await stage.made();
  expect(await client.socket(`/stream/session/${id}/execute`).refused()).toMatchObject({
    status: 400,
    body: { msg: expect.stringContaining('PENDING') },
  });
});

test('a server that stops says so', async () => {
  const stopping = await Stage.open({ executor });
  const { id } = await stopping.running();
  const own = new BackendAiClient(stopping.server.url, stopping.keys.alice, 'stream');
  const socket = await own.socket(`/stream/session/${id}/execute`).open();
  socket.send({ mode: 'query', code: 'for ever' });
  await socket.sees(() => executor.asked.length === 2);
  await stopping.server.close();
  expect(await socket.closed).toBe(1012);
  expect(socket.messages.at(-1)).toMatchObject({ status: 'server-restarting', msg: expect.any(String) });
  await stopping.server.storage.close();
});
