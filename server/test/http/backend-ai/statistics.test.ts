import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withUsage, type KeptStatistics } from '../../../src/domain/sessions/statistics.ts';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { ending, Stage, TYPE } from './stage.ts';

const usage = (cpuMs: number): KeptStatistics => ({
  main1: withUsage(
    undefined,
    {
      cpuMs,
      memoryBytes: 50,
      memoryMaxBytes: 70,
      networkReceivedBytes: 1,
      networkSentBytes: 2,
      blockReadBytes: null,
      blockWrittenBytes: 3,
    },
    { life: '1 a', at: new Date() },
  ),
});
const flat = (cpuUsed: number): object => ({
  cpu_used: cpuUsed,
  mem_max_bytes: 70,
  mem_cur_bytes: 50,
  net_rx_bytes: 1,
  net_tx_bytes: 2,
  io_read_bytes: 0,
  io_write_bytes: 3,
  io_max_scratch_size: 0,
  io_cur_scratch_size: 0,
});

/** What is counted now, by session. */
const now = new Map<string, KeptStatistics>();
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ runtime: new FakeRuntime(), statistics: { live: async ({ id }) => now.get(id) } });
});
afterAll(() => stage.close());

const keep = (id: string, kept: KeptStatistics): Promise<void> => stage.server.storage.sessions.keepStatistics(new Map([[id, kept]]));
const get = async (path: string) => (await stage.js.send('GET', path)).body;

describe('what a session uses', () => {
  test('is null before it ran, then what is counted now, or was counted last', async () => {
    const { id } = await stage.made();
    expect(await get(`/session/${id}`)).toMatchObject({ lastStat: null });
    await stage.become(id, { state: 'running' });
    await keep(id, usage(100));
    expect(await get(`/session/${id}`)).toMatchObject({ lastStat: flat(100) });
    now.set(id, usage(200));
    expect(await get(`/session/${id}`)).toMatchObject({ lastStat: flat(200) });
    now.delete(id);
    await stage.become(id, ending('error', { cause: { code: 'out-of-memory', message: 'Too much.', remedy: 'Ask for more.' } }));
    expect(await get(`/session/${id}`)).toMatchObject({ status: 'ERROR', lastStat: flat(100) });
  });

  test('is answered when a session is destroyed', async () => {
    const { id } = await stage.running();
    now.set(id, usage(300));
    expect((await stage.js.send('DELETE', `/session/${id}`)).body).toEqual({ stats: { ...flat(300), status: 'terminated' } });
    const pending = await stage.made();
    expect((await stage.py.send('DELETE', `/session/${pending.id}`)).body).toEqual({ stats: { status: 'cancelled' } });
  });
});

describe('the history of statuses', () => {
  test('has each status once with its time, of the dead, too', async () => {
    const { id, name } = await stage.running();
    await stage.become(id, ending('terminated'));
    const history = await get(`/session/${name}/status-history`);
    expect(Object.keys(history)).toEqual(['PENDING', 'RUNNING', 'TERMINATED']);
    for (const at of Object.values(history)) expect(new Date(String(at)).toISOString()).toBe(at);
  });
  test("is its owner's to see", async () => {
    const { id } = await stage.made();
    expect((await stage.bob.send('GET', `/session/${id}/status-history`)).status).toBe(404);
    expect((await stage.root.send('GET', `/session/${id}/status-history?owner_access_key=${stage.keys.alice.accessKey}`)).status).toBe(200);
  });
});

describe('the graph of dependencies', () => {
  const batch = { sessionType: 'batch', startupCommand: 'true' };
  test('is a tree, down to what follows nothing, the dead included', async () => {
    const first = await stage.made(batch);
    const second = await stage.made({ ...batch, dependencies: [first.name] });
    const third = await stage.made({ ...batch, dependencies: [first.id, second.id] });
    await stage.become(first.id, ending('terminated', { exitCode: 0, finished: true }));
    const leaf = {
      session_id: first.id,
      session_name: first.name,
      status: 'TERMINATED',
      status_changed: expect.any(String),
      depends_on: [],
    };
    expect(await get(`/session/${third.id}/dependency-graph`)).toEqual({
      session_id: third.id,
      session_name: third.name,
      status: 'PENDING',
      status_changed: expect.any(String),
      depends_on: [leaf, expect.objectContaining({ session_id: second.id, depends_on: [leaf] })],
    });
    expect(await get(`/session/${first.name}/dependency-graph`)).toEqual(leaf);
  });
  test('of many that follow all before them ends somewhere', async () => {
    const made: string[] = [];
    for (let n = 0; n < 14; n += 1) made.push((await stage.made({ ...batch, dependencies: [...made] })).id);
    const { status, text } = await stage.js.send('GET', `/session/${made.at(-1)}/dependency-graph`);
    expect(status).toBe(200);
    expect(text.match(/session_id/g)?.length).toBe(501);
  });
});

describe('saving a session as an image', () => {
  test('is begun, and its state can be asked for; one at a time', async () => {
    const { id } = await stage.running({ clientSessionToken: 'To.Save_it' });
    expect(await get(`/session/${id}/commit`)).toEqual({ kernel: id, status: 'ready' });
    const answer = await stage.py.send('POST', `/session/${id}/commit`, { body: { login_session_token: null, filename: 'tool.tar.gz' } });
    expect(answer).toMatchObject({ status: 201, body: { kernel: id, path: 'docker://localhost/berth/alice/tool:latest' } });
    expect(answer.body['bgtask_id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(await get(`/session/${id}/commit`)).toMatchObject({ kernel: id, status: 'ongoing', result: 'working' });
    expect((await stage.py.send('POST', `/session/${id}/commit`)).status).toBe(400);
  });
  test('is called after the session where no name is given', async () => {
    const { id } = await stage.running({ clientSessionToken: 'To.Save_it-2' });
    expect((await stage.py.send('POST', `/session/${id}/commit`)).body).toMatchObject({
      path: 'docker://localhost/berth/alice/to-save-it-2:latest',
    });
  });
  test("is refused: a bad name, a session that does not run, somebody else's", async () => {
    const { id } = await stage.running();
    expect((await stage.js.send('POST', `/session/${id}/commit`, { body: { image_name: 'berth/base' } })).status).toBe(400);
    expect((await stage.bob.send('POST', `/session/${id}/commit`)).status).toBe(404);
    expect((await stage.root.send('POST', `/session/${id}/commit?owner_access_key=${stage.keys.alice.accessKey}`)).status).toBe(403);
    const pending = await stage.made();
    expect(await stage.js.send('POST', `/session/${pending.id}/commit`)).toMatchObject({
      status: 400,
      body: { type: `${TYPE}invalid-api-params` },
    });
  });
  test('is not implemented where a runtime cannot do it', async () => {
    const elsewhere = await Stage.open();
    const { id } = await elsewhere.running();
    expect(await elsewhere.js.send('POST', `/session/${id}/commit`)).toMatchObject({
      status: 501,
      body: { type: `${TYPE}not-implemented` },
    });
    expect((await elsewhere.js.send('GET', `/session/${id}/commit`)).body).toEqual({ kernel: id, status: 'ready' });
    await elsewhere.close();
  });
});
