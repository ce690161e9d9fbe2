import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf } from '../fuzz/requests.ts';
import { Wire } from '../fuzz/wire.ts';
import { getOrCreate } from './python-create.ts';
import { BackendAiClient } from './signing-client.ts';
import { Stage } from './stage.ts';

let stage: Stage;
let stream: BackendAiClient;
beforeAll(async () => {
  stage = await Stage.open();
  stream = new BackendAiClient(stage.server.url, stage.keys.alice, 'stream');
});
afterAll(() => stage.close());

const plain = (name: string): object => getOrCreate(name, 'debian');

describe('creating', () => {
  test('explicit nulls mean "not given"', async () => {
    const name = stage.freshName();
    const answer = await stage.py.send('POST', '/session', { body: plain(name) });
    expect(answer).toMatchObject({
      status: 201,
      body: { sessionId: expect.any(String), sessionName: name, status: 'PENDING', created: true },
    });
    expect(await stage.py.send('POST', '/session', { body: plain(name) })).toMatchObject({ status: 200, body: { created: false } });
  });
  test('all in the query of a POST without a body', async () => {
    const name = stage.freshName();
    const query = new URLSearchParams({ image: 'debian', name, enqueueOnly: 'true', group: 'default', maxWaitSeconds: '0' });
    expect(await stage.py.send('POST', `/session?${query.toString()}`)).toMatchObject({ status: 201, body: { sessionName: name } });
  });
  test('a body in chunks of unknown length', async () => {
    const name = stage.freshName();
    const answer = await stage.py.send('POST', '/session', { body: plain(name), headers: { 'transfer-encoding': 'chunked' } });
    expect(answer).toMatchObject({ status: 201, body: { sessionName: name } });
  });
  test('newer keys are no hindrance', async () => {
    const newer = { is_preemptible: true, attach_network: null, mount_ids: null };
    const config = { mount_ids: [], mount_id_map: {}, mount_options: {}, attach_network: null };
    const body = { ...plain(stage.freshName()), ...newer, config };
    expect(await stage.py.send('POST', '/session', { body })).toMatchObject({ status: 201 });
  });
});

describe('asking', () => {
  test('a GET with a JSON body', async () => {
    const { name } = await stage.made();
    const answer = await stage.py.send('GET', '/session/_/match', { body: { id: name.slice(0, -1) } });
    expect(answer.status).toBe(200);
    expect(JSON.stringify(answer.body)).toContain(name);
  });
  test('a GET with a JSON body in chunks', async () => {
    const { name } = await stage.made();
    const answer = await stage.py.send('GET', '/session/_/match', { body: { id: name }, headers: { 'transfer-encoding': 'chunked' } });
    expect(answer).toMatchObject({ status: 200, body: { matches: [{ name }] } });
  });
  test('a GET with too large a body is refused, and the next request on its connection is answered', async () => {
    const wire = new Wire(stage.server.url);
    const target = '/session/_/match?id=x';
    for (let round = 0; round < 20; round += 1) {
      for (const [body, status] of [
        [Buffer.alloc(1_200_000, 'x'), 413],
        [undefined, 200],
      ] as const) {
        const headers = stage.py.signedHeaders('GET', target, { hasBody: body !== undefined });
        const answer = await wire.exchange(bytesOf({ method: 'GET', target, body, headers }), { endless: false });
        expect(answer).toMatchObject({ status });
      }
    }
    wire.close();
  });
  test('a request without a body, sent as text/plain', async () => {
    const { id } = await stage.made();
    expect(await stage.py.send('GET', `/session/${id}`)).toMatchObject({ status: 200, body: { status: 'PENDING' } });
    expect(await stage.py.send('DELETE', `/session/${id}?forced=false`)).toMatchObject({
      status: 200,
      body: { stats: expect.any(Object) },
    });
  });
  test('parameters of a POST in its query', async () => {
    const { id } = await stage.running();
    const name = stage.freshName();
    expect(await stage.py.send('POST', `/session/${id}/rename?name=${name}`)).toMatchObject({ status: 204, text: '' });
    expect(await stage.py.send('GET', `/session/${name}`)).toMatchObject({ status: 200 });
  });
  test('owner_access_key beside everything else, her own being nothing special', async () => {
    const { id } = await stage.made();
    const own = `owner_access_key=${stage.keys.alice.accessKey}`;
    expect(await stage.py.send('GET', `/session/${id}?${own}`)).toMatchObject({ status: 200 });
    expect(await stage.py.send('DELETE', `/session/${id}?forced=true&${own}`)).toMatchObject({ status: 200 });
  });
});

describe('without a Content-Type, signed as octets', () => {
  test('events', async () => {
    const response = await stream.open('GET', '/events/session?sessionName=*&scope=*');
    expect([response.statusCode, response.headers['content-type']]).toEqual([200, 'text/event-stream']);
    response.destroy();
  });
  test('the upgrade to a WebSocket', async () => {
    const { id } = await stage.made();
    const socket = await stream.socket(`/stream/session/${id}/pty`).open();
    expect(socket.headers['server']).toBe('BackendAI');
    socket.vanish();
  });
});
