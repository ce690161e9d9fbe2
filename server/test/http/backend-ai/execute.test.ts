import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { LocalContainer } from '../../support/local-container.ts';
import { likeABrowser, realClient } from './real-client.ts';
import type { Answered } from './signing-client.ts';
import { ending, Stage, TYPE } from './stage.ts';

/** Where all sessions of these tests are. */
let container: LocalContainer;
let stage: Stage;
beforeAll(async () => {
  likeABrowser();
  container = await LocalContainer.make();
  stage = await Stage.open({ runtime: container.asRuntime() });
});
afterEach(() => void (container.phase = 'running'));
afterAll(async () => {
  vi.unstubAllGlobals();
  await stage.close();
  await container.remove();
});

const execute = (id: string, body: object): Promise<Answered> => stage.js.send('POST', `/session/${id}`, { body });
const resultOf = ({ body }: Answered): Record<string, unknown> => body['result'] as Record<string, unknown>;
const release = (name: string): Promise<void> => writeFile(join(container.work, name), '');
const waitFor = (name: string): string => `import os, time\nwhile not os.path.exists('${name}'): time.sleep(0.01)\n`;

describe('execute', () => {
  test('a query is answered with what it printed, and keeps its variables', async () => {
    const { id } = await stage.running();
    const assigned = await execute(id, { mode: 'query', code: 'x = 41', runId: null, options: null });
    expect([assigned.status, resultOf(assigned)]).toEqual([
      200,
      { runId: expect.stringMatching(/\S/) as string, status: 'finished', exitCode: 0, console: [], options: {}, files: [] },
    ]);
    const code = 'import sys\nprint("a"); print("b")\nprint("c", file=sys.stderr)\nx + 1';
    expect(resultOf(await execute(id, { mode: 'query', code, runId: 'run-0001' }))).toMatchObject({
      runId: 'run-0001',
      exitCode: 0,
      console: [
        ['stdout', 'a\nb\n'],
        ['stderr', 'c\n'],
        ['stdout', '42\n'],
      ],
    });
    expect(resultOf(await execute(id, { mode: 'query', code: '1 / 0', runId: 'run-0002' }))).toMatchObject({ exitCode: 0 });
  });

  test('what takes longer is told in parts, none later than a client waits', async () => {
    const { id } = await stage.running();
    const client = realClient(stage.server.url, stage.keys.alice);
    await client.get_manager_version();
    // It gives up after five seconds.
    const first = (await client.execute(id, 'run-0003', 'query', `print("begun")\n${waitFor('longer')}print("ended")`, {})) as {
      result: Record<string, unknown>;
    };
    expect(first.result).toMatchObject({ runId: 'run-0003', status: 'continued', exitCode: null, console: [['stdout', 'begun\n']] });
    await release('longer');
    const second = (await client.execute(id, 'run-0003', 'continue', '', {})) as { result: Record<string, unknown> };
    expect(second.result).toMatchObject({ status: 'finished', exitCode: 0, console: [['stdout', 'ended\n']] });
  });

  test('input is asked for and given', async () => {
    const { id } = await stage.running();
    const asked = resultOf(await execute(id, { mode: 'query', code: 'import getpass\nlen(getpass.getpass("key: "))', runId: 'run-0004' }));
    expect(asked).toMatchObject({
      status: 'waiting-input',
      options: { is_password: true },
      console: [['stdout', 'key: ']],
      exitCode: null,
    });
    expect(resultOf(await execute(id, { mode: 'input', code: 'abc', runId: 'run-0004' }))).toMatchObject({
      status: 'finished',
      console: [['stdout', '3\n']],
    });
  });

  test('a batch tells the end of each step', async () => {
    const { id } = await stage.running();
    const options = { clean: null, build: 'echo build', exec: 'echo run; exit 3', buildLog: true };
    const built = resultOf(await execute(id, { mode: 'batch', code: '', runId: 'run-0005', options }));
    expect(built).toMatchObject({ status: 'build-finished', exitCode: 0, console: [['stdout', 'build\n']] });
    expect(resultOf(await execute(id, { mode: 'continue', code: '', runId: 'run-0005' }))).toMatchObject({
      status: 'finished',
      exitCode: 3,
      console: [['stdout', 'run\n']],
    });
  });

  test('a session that goes meanwhile is answered as ended', async () => {
    const { id } = await stage.running();
    await execute(id, { mode: 'query', code: '1', runId: null });
    container.phase = 'exited';
    await container.stop();
    expect(resultOf(await execute(id, { mode: 'continue', code: '', runId: 'run-0006' }))).toEqual({
      runId: 'run-0006',
      status: 'finished',
      exitCode: 130,
      console: [],
      options: {},
      files: [],
    });
  });

  test.each([
    ['no mode', { code: '1', runId: null }, 'mode'],
    ['an unknown mode', { mode: 'dance', code: '1', runId: null }, 'mode'],
    ['no runId at all', { mode: 'query', code: '1' }, 'runId'],
    ['continue without a run', { mode: 'continue', code: '', runId: null }, 'runId'],
    ['input without a run', { mode: 'input', code: 'x', runId: null }, 'runId'],
    ['a batch of nothing', { mode: 'batch', code: '', runId: null, options: { exec: null } }, 'options'],
  ])('%s is refused, and says what', async (_, body, field) => {
    const { id } = await stage.running();
    expect(await execute(id, body)).toMatchObject({
      status: 400,
      body: { type: `${TYPE}invalid-api-params`, msg: expect.stringContaining(field) as string },
    });
  });

  test('code runs in a running session only', async () => {
    const { id } = await stage.made();
    const body = { mode: 'query', code: '1', runId: null };
    for (const path of ['', '/interrupt', '/complete']) {
      expect(await stage.py.send('POST', `/session/${id}${path}`, { body })).toMatchObject({
        status: 400,
        body: { type: `${TYPE}invalid-api-params` },
      });
    }
    await stage.become(id, { state: 'running' });
    expect((await stage.bob.send('POST', `/session/${id}`, { body })).status).toBe(404);
    await stage.become(id, ending('terminated'));
    expect(await stage.py.send('POST', `/session/${id}`, { body })).toMatchObject({
      status: 404,
      body: { type: `${TYPE}object-not-found` },
    });
  });
});

test('interrupt answers 204 with nothing, whether anything runs or not, asked either way', async () => {
  const { id, name } = await stage.running();
  expect(await stage.py.send('POST', `/session/${name}/interrupt`)).toMatchObject({ status: 204, text: '' });
  const { runId } = resultOf(await execute(id, { mode: 'query', code: 'while True: pass', runId: null })) as { runId: string };
  const interrupted = await stage.js.send('POST', `/session/${id}/interrupt`);
  expect(interrupted.status).toBe(204);
  expect(interrupted.headers['content-type']).toBeUndefined();
  expect(resultOf(await execute(id, { mode: 'continue', code: '', runId }))).toMatchObject({
    status: 'finished',
    console: [['stderr', expect.stringContaining('KeyboardInterrupt')]],
  });
});

test('complete knows the variables, asked by its own path or as a mode of old', async () => {
  const { id } = await stage.running();
  await execute(id, { mode: 'query', code: 'flavour = 1', runId: null });
  const body = { code: 'x = 1\nflav', options: { row: 1, col: 4, line: 'flav', post: '' } };
  const completed = { status: 200, body: { result: { status: 'finished', completions: ['flavour'] } } };
  expect(await stage.js.send('POST', `/session/${id}/complete`, { body })).toMatchObject(completed);
  expect(await stage.py.send('POST', `/session/${id}/complete`, { body: { code: 'x\nflav' } })).toMatchObject(completed);
  expect(await execute(id, { mode: 'complete', ...body })).toMatchObject(completed);
});

test('numQueriesExecuted counts what is asked of a session, and is there after a restart as far as it was written', async () => {
  const { id } = await stage.running();
  const count = async (): Promise<unknown> => (await stage.js.send('GET', `/session/${id}`)).body['numQueriesExecuted'];
  const before = Number(await count());
  await execute(id, { mode: 'query', code: '1', runId: null });
  await stage.js.send('GET', `/session/${id}/logs`);
  expect(await count()).toBe(before + 3);
  const uses = [{ sessionId: id, count: 40, executedAt: new Date('2026-01-01T00:00:00Z') }];
  await stage.server.storage.uses.noteUses(uses);
  expect(await count()).toBe(before + 44);
});
