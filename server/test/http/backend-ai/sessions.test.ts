import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN } from '../../../src/domain/sessions/container-plan.ts';
import type { Session } from '../../../src/domain/sessions/session.ts';
import { ending, Stage, TYPE } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const KEYS = {
  domainName: 'default',
  groupId: expect.any(String),
  userId: expect.any(String),
  image: 'debian:latest',
  lang: 'debian:latest',
  architecture: expect.stringMatching(/^(x86_64|aarch64)$/),
  registry: '',
  containerId: expect.any(String),
  occupiedSlots: expect.any(String),
  occupiedShares: expect.any(String),
  environ: expect.any(String),
  statusInfo: expect.any(String),
  age: expect.any(Number),
  creationTime: expect.any(String),
  numQueriesExecuted: expect.any(Number),
  lastStat: null,
};

describe('the information page', () => {
  const ask = { config: { resources: { cpu: '2', mem: '4g' }, environ: { A: '1' } } };
  test.each<[string, Partial<Session> | null, Record<string, unknown>]>([
    ['pending', null, { status: 'PENDING', tag: null, statusData: null, terminationTime: null, containerId: '', occupiedSlots: '{}' }],
    [
      'running',
      { state: 'running' },
      { status: 'RUNNING', statusInfo: '', occupiedSlots: '{"cpu":"2","mem":"4294967296"}', terminationTime: null },
    ],
    ['terminating', { state: 'terminating', wanted: 'terminated' }, { status: 'TERMINATING', statusInfo: 'user-requested' }],
    ['paused', { state: 'paused', wanted: 'paused' }, { status: 'SUSPENDED' }],
    [
      'failed',
      ending('error', { cause: { code: 'out-of-memory', message: 'Too much.', remedy: 'Ask for more.' } }),
      {
        status: 'ERROR',
        statusInfo: 'killed-by-event',
        statusData: expect.objectContaining({ error: { src: 'agent', name: 'out-of-memory', repr: 'Too much. Ask for more.' } }),
        terminationTime: expect.any(String),
      },
    ],
  ])('has all keys, of a session that is %s', async (_, changes, expected) => {
    const { id } = await stage.made(ask);
    if (changes !== null) await stage.become(id, changes);
    const { status, body } = await stage.js.send('GET', `/session/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...KEYS, ...expected, environ: '{"A":"1"}' });
    for (const key of ['tag', 'statusData', 'terminationTime', 'status']) expect(body).toHaveProperty(key);
  });
  test('while it waits for room, why', async () => {
    const { id } = await stage.made();
    await stage.server.storage.sessions.explain(new Map([[id, { position: 1, of: 1, reasons: [{ node: 'n1', reason: 'needs 2 GPUs' }] }]]));
    expect((await stage.js.send('GET', `/session/${id}`)).body).toMatchObject({
      statusInfo: 'no-available-instances',
      statusData: { scheduler: { failed_predicates: [{ name: 'n1', msg: 'needs 2 GPUs' }] } },
    });
  });
  test('is found by id, name and unique beginnings; the dead are not', async () => {
    const { id, name } = await stage.made({ clientSessionToken: 'Find_me.here' });
    for (const text of [id, id.toUpperCase(), name, 'Find_me', id.slice(0, 33)])
      expect((await stage.js.send('GET', `/session/${text}`)).status).toBe(200);
    await stage.made({ clientSessionToken: 'Find_me.too' });
    const several = await stage.js.send('GET', '/session/Find_me');
    expect(several).toMatchObject({
      status: 404,
      body: { type: `${TYPE}too-many-sessions-matched`, data: { matches: [{ name: 'Find_me.too' }, { id, name, status: 'PENDING' }] } },
    });
    await stage.become(id, ending('terminated'));
    expect(await stage.js.send('GET', `/session/${name}`)).toMatchObject({
      status: 404,
      body: { type: `${TYPE}object-not-found`, title: 'No such session.' },
    });
    expect((await stage.js.send('GET', `/session/_/match?id=${name}`)).body).toEqual({ matches: [{ id, name, status: 'TERMINATED' }] });
    expect((await stage.js.send('GET', '/session/_/match?id=Find_')).body['matches']).toHaveLength(2);
  });
  test.each(['%00', '%25', 'a%2Fb', 'x'.repeat(200), '..%2f'])('%s is nobody', async (text) => {
    expect([400, 404]).toContain((await stage.js.send('GET', `/session/${text}`)).status);
  });
  test('nobody sees what is not hers; an administrator who names the owner sees what it is, which is noted', async () => {
    const { id } = await stage.running({ config: { environ: { SECRET: 'do-not-tell' } } });
    expect((await stage.bob.send('GET', `/session/${id}`)).status).toBe(404);
    expect((await stage.root.send('GET', `/session/${id}`)).status).toBe(404);
    expect((await stage.bob.send('GET', `/session/${id}?owner_access_key=${stage.keys.alice.accessKey}`)).status).toBe(403);
    const seen = await stage.root.send('GET', `/session/${id}?owner_access_key=${stage.keys.alice.accessKey}`);
    expect([seen.status, seen.text.includes('do-not-tell')]).toEqual([200, false]);
    expect(stage.server.logged()).toMatch(/"audit":"session.look","actor":"root"/);
    expect((await stage.root.send('GET', `/session/${id}/logs?owner_access_key=${stage.keys.alice.accessKey}`)).status).toBe(403);
    expect((await stage.root.send('PATCH', `/session/${id}?owner_access_key=${stage.keys.alice.accessKey}`)).status).toBe(403);
    expect((await stage.root.send('DELETE', `/session/${id}?owner_access_key=${stage.keys.alice.accessKey}`)).status).toBe(200);
  });
  test('parameters of a GET may stand in a body', async () => {
    const { id } = await stage.made();
    const asked = await stage.bob.send('GET', `/session/${id}`, { body: { owner_access_key: stage.keys.alice.accessKey } });
    expect(asked.status).toBe(403);
    expect((await stage.js.send('GET', `/session/${id}`, { raw: '' })).status).toBe(200);
  });
});

describe('restarting, renaming, destroying, logs', () => {
  test('a restart has no body and no content type', async () => {
    const { id } = await stage.running();
    const answer = await stage.js.send('PATCH', `/session/${id}`);
    expect([answer.status, answer.text, answer.headers['content-type']]).toEqual([204, '', undefined]);
    expect((await stage.js.send('GET', `/session/${id}`)).body).toMatchObject({ status: 'RESTARTING' });
    expect(await stage.js.send('PATCH', `/session/${id}`)).toMatchObject({ status: 400, body: { type: `${TYPE}invalid-api-params` } });
  });
  test('a session that does not run cannot be restarted', async () => {
    expect((await stage.js.send('PATCH', `/session/${(await stage.made()).id}`)).status).toBe(400);
    expect((await stage.js.send('PATCH', '/session/nobody')).status).toBe(404);
  });
  test('a rename by the query alone; a name in use is refused', async () => {
    const [one, other] = [await stage.running(), await stage.made()];
    expect((await stage.py.send('POST', `/session/${one.id}/rename?name=Other_name`)).status).toBe(204);
    expect((await stage.py.send('GET', '/session/Other_name')).status).toBe(200);
    expect((await stage.py.send('POST', `/session/${one.id}/rename?name=${other.name}`)).status).toBe(400);
    expect((await stage.py.send('POST', `/session/${other.id}/rename?name=Third_name`)).status).toBe(400);
    expect((await stage.py.send('POST', `/session/${one.id}/rename?name=x`)).status).toBe(400);
  });
  test('a destroyed session answers its end, and may be asked again', async () => {
    const { id } = await stage.running();
    expect(await stage.js.send('DELETE', `/session/${id}`)).toMatchObject({ status: 200, body: { stats: { status: 'terminated' } } });
    expect((await stage.js.send('DELETE', `/session/${id}`)).status).toBe(200);
    await stage.become(id, ending('terminated'));
    expect(await stage.js.send('DELETE', `/session/${id}`)).toMatchObject({ status: 404, body: { title: 'No such session.' } });
  });
  test('one that never ran was cancelled; one that is being made needs force', async () => {
    const pending = await stage.made();
    expect((await stage.py.send('DELETE', `/session/${pending.name}`)).body).toEqual({ stats: { status: 'cancelled' } });
    const preparing = await stage.made();
    await stage.become(preparing.id, { state: 'preparing', startedAt: null });
    expect(await stage.py.send('DELETE', `/session/${preparing.id}`)).toMatchObject({
      status: 403,
      body: { type: `${TYPE}generic-forbidden` },
    });
    expect((await stage.py.send('DELETE', `/session/${preparing.id}?forced=true`)).status).toBe(200);
  });
  test('logs are empty before it starts, and kept after its end', async () => {
    const { id } = await stage.made();
    expect(await stage.js.send('GET', `/session/${id}/logs`)).toMatchObject({ status: 200, body: { result: { logs: '' } } });
    const chunk = Buffer.concat([Buffer.from([1, 0, 0, 0, 6]), Buffer.from('hello\n')]);
    await stage.server.storage.sessions.keepLog({ sessionId: id, generation: 1, container: MAIN }, chunk);
    await stage.become(id, ending('terminated'));
    expect((await stage.js.send('GET', `/session/${id}/logs`)).body).toEqual({ result: { logs: 'hello\n' } });
    expect((await stage.js.send('GET', `/session/${id}/logs?kernel_id=${id}`)).status).toBe(200);
    expect((await stage.js.send('GET', `/session/${id}/logs?kernel_id=other`)).status).toBe(404);
  });
});
