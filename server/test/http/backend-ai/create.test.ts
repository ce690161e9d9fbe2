import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Session } from '../../../src/domain/sessions/session.ts';
import type { Answered } from './signing-client.ts';
import { ending, Stage, TYPE } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('creating', () => {
  test('answers at once when only asked to enqueue; the session is in Berth, too', async () => {
    const name = stage.freshName();
    const answer = await stage.create({
      clientSessionToken: name,
      config: { resources: { cpu: '0.5', mem: '1.5g' }, environ: { A: '1' } },
      tag: 'mine',
    });
    const sessionId = answer.body['sessionId'];
    expect(answer).toMatchObject({
      status: 201,
      body: { sessId: sessionId, sessionName: name, status: 'PENDING', servicePorts: [], service_ports: [], created: true },
    });
    const session = await stage.server.people.alice.client.getSession({ params: { session: name } });
    expect(session).toMatchObject({
      id: sessionId,
      tty: true,
      tag: 'mine',
      resources: { cpu: 0.5, memoryBytes: 1_610_612_736, sharedMemoryBytes: 67_108_864 },
    });
  });
  test.each(['/session', '/session/create', '/session/_/create', '/kernel', '/kernel/create'])('POST %s', async (path) => {
    expect((await stage.js.send('POST', path, { body: { lang: 'debian', name: stage.freshName(), enqueueOnly: 'true' } })).status).toBe(
      201,
    );
  });
  test('as the Python client asks: explicit nulls, snake case, newer things, JSON in chunks', async () => {
    const body = {
      clientSessionToken: stage.freshName(),
      image: 'debian',
      type: 'interactive',
      domain: 'default',
      group: 'default',
      tag: null,
      startup_command: null,
      bootstrap_script: null,
      callback_url: null,
      dependencies: null,
      starts_at: null,
      owner_access_key: null,
      max_wait_seconds: 0,
      enqueue_only: true,
      reuse: true,
      priority: 10,
      cluster_size: 1,
      cluster_mode: 'single-node',
      config: {
        mounts: [],
        mount_map: {},
        environ: null,
        resources: { cpu: 1, mem: '512m' },
        resource_opts: { shmem: '64m' },
        scalingGroup: null,
        preopen_ports: [],
        agent_list: null,
      },
    };
    const answer = await stage.py.send('POST', '/session', { body, headers: { 'transfer-encoding': 'chunked' } });
    expect(answer).toMatchObject({ status: 201, body: { status: 'PENDING', created: true } });
  });
  test('a batch session with its command, time and dependencies', async () => {
    const first = await stage.made({ type: 'batch', startupCommand: 'echo 1' });
    const second = await stage.made({
      type: 'batch',
      startupCommand: 'echo 2',
      dependencies: [first.name],
      starts_at: '5m',
      batch_timeout: 60,
    });
    expect(await stage.server.people.alice.client.getSession({ params: { session: second.id } })).toMatchObject({
      command: ['sh', '-c', 'echo 2'],
      dependencies: [{ id: first.id }],
      batchTimeoutMs: 60_000,
      startsAt: expect.any(String),
    });
  });

  test('reuse: the same session, 200; another image or no reuse: refused, naming it', async () => {
    const { id, name } = await stage.made();
    const again = (body: object): Promise<Answered> => stage.create({ clientSessionToken: name, ...body });
    expect(await again({ config: { resources: { mem: '1y' } } })).toMatchObject({
      status: 200,
      body: { sessionId: id, created: false, status: 'PENDING' },
    });
    expect(await again({ lang: 'docker://debian:latest' })).toMatchObject({ status: 200 });
    for (const refused of [await again({ lang: 'alpine' }), await again({ reuseIfExists: false })])
      expect(refused).toMatchObject({ status: 400, body: { type: `${TYPE}session-already-exists`, data: { existingSessionId: id } } });
    expect((await stage.create({ clientSessionToken: name }, stage.bob)).body).toMatchObject({ created: true });
  });
  test('of two hundred at once with one name exactly one creates, the others get its session', async () => {
    const clientSessionToken = stage.freshName();
    const answers = await Promise.all(Array.from({ length: 200 }, () => stage.create({ clientSessionToken })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(199);
    expect(new Set(answers.map(({ body }) => body['sessionId'])).size).toBe(1);
  });
  test('a name is free again when its session is over, and not before', async () => {
    const { id, name } = await stage.running();
    await stage.js.send('DELETE', `/session/${id}`);
    expect((await stage.create({ clientSessionToken: name })).body).toMatchObject({ created: false, status: 'TERMINATING' });
    await stage.become(id, { ...ending('terminated'), wanted: 'terminated' });
    expect((await stage.create({ clientSessionToken: name })).body).toMatchObject({ created: true });
  });

  test.each<[string, object, number, string]>([
    ['no image', { lang: null }, 400, 'invalid-api-params'],
    ['an image that can be none', { lang: 'NOT AN IMAGE' }, 404, 'object-not-found'],
    ['a name too short', { clientSessionToken: 'abc' }, 400, 'invalid-api-params'],
    ['a reserved name', { clientSessionToken: 'create' }, 400, 'invalid-api-params'],
    ['a type nobody knows', { type: 'inference' }, 400, 'invalid-api-params'],
    ['a batch session without a command', { type: 'batch' }, 400, 'invalid-api-params'],
    ['a start time of an interactive session', { startsAt: '5m' }, 400, 'invalid-api-params'],
    ['a start time that is none', { type: 'batch', startupCommand: 'x', startsAt: 'soon' }, 400, 'invalid-api-params'],
    ['a group nobody knows', { group_name: 'nobodys' }, 400, 'invalid-api-params'],
    ['a domain nobody knows', { domain: 'elsewhere' }, 400, 'invalid-api-params'],
    ['a scaling group nobody knows', { config: { scaling_group: 'gpus' } }, 404, 'object-not-found'],
    ['a slot nobody knows', { config: { resources: { 'tpu.device': 1 } } }, 400, 'invalid-api-params'],
    ['a size that is none', { config: { resources: { mem: '4x' } } }, 400, 'invalid-api-params'],
    ['half a GPU', { config: { resources: { 'cuda.devices': '0.5' } } }, 400, 'invalid-api-params'],
    ['more shared memory than memory', { config: { resources: { mem: '1g' }, resource_opts: { shmem: '1g' } } }, 400, 'invalid-api-params'],
    ['more than anything here has', { config: { resources: { mem: '1y' } } }, 406, 'quota-exceeded'],
    ['more CPUs than anything here has', { config: { resources: { cpu: '1e9' } } }, 406, 'quota-exceeded'],
    ['a node, by who may not choose one', { config: { agentList: ['n1'] } }, 403, 'insufficient-privilege'],
    ['a variable with a name that can be none', { config: { environ: { 'A=B': '1' } } }, 400, 'invalid-api-params'],
    ['a variable with NUL in it', { config: { environ: { A: '\0' } } }, 400, 'invalid-api-params'],
    ['more containers than any session may have', { cluster_size: 1025 }, 400, 'invalid-api-params'],
    ['a folder that is not there', { config: { mounts: ['data'] } }, 404, 'object-not-found'],
    ['a callback to this machine', { callback_url: 'http://127.0.0.1/' }, 400, 'invalid-api-params'],
    ['a bootstrap script too long', { bootstrapScript: 'x'.repeat(16_385) }, 400, 'invalid-api-params'],
    ['a port too low', { config: { preopen_ports: [1023] } }, 400, 'invalid-api-params'],
    ['a port that is reserved', { config: { preopen_ports: [2200] } }, 400, 'invalid-api-params'],
    ['a port twice', { config: { preopen_ports: [8080, 8080] } }, 400, 'invalid-api-params'],
  ])('%s is refused', async (_, body, status, kind) => {
    expect(await stage.create(body)).toMatchObject({ status, body: { type: TYPE + kind, msg: expect.stringMatching(/\S/) } });
  });
  test('an unknown dependency is named', async () => {
    const answer = await stage.create({ type: 'batch', startupCommand: 'x', dependencies: 'nobody' });
    expect(answer).toMatchObject({ status: 400, body: { data: { session_ref: 'nobody' } } });
  });
  test('a body that is no JSON is refused', async () => {
    const answer = await stage.js.send('POST', '/session', { raw: '{"image":' });
    expect(answer).toMatchObject({ status: 400, body: { type: `${TYPE}invalid-api-params`, title: 'Malformed body' } });
    const large = await stage.js.send('POST', '/session', { raw: ' '.repeat(1_100_000) });
    expect(large).toMatchObject({ status: 400, body: { type: `${TYPE}generic-bad-request` } });
  });

  test('the owner may be another for an administrator, and for nobody else', async () => {
    const owner_access_key = stage.keys.alice.accessKey;
    const name = stage.freshName();
    expect(await stage.create({ clientSessionToken: name, owner_access_key }, stage.bob)).toMatchObject({
      status: 403,
      body: { type: `${TYPE}generic-forbidden` },
    });
    expect(await stage.create({ owner_access_key: 'AKIAAAAAAAAAAAAAAAAA' }, stage.root)).toMatchObject({
      status: 400,
      body: { type: `${TYPE}invalid-api-params` },
    });
    const answer = await stage.create({ clientSessionToken: name, owner_access_key }, stage.root);
    expect(await stage.server.people.alice.client.getSession({ params: { session: name } })).toMatchObject({
      id: answer.body['sessionId'],
      owner: { name: 'alice' },
    });
  });
});

describe('waiting for the outcome', () => {
  const waitFor =
    (changes: Partial<Session>, more: object = {}) =>
    async (): Promise<Answered> => {
      const clientSessionToken = stage.freshName();
      const answer = stage.create({ clientSessionToken, enqueueOnly: false, ...more });
      const id = await stage.appears(clientSessionToken);
      await stage.become(id, changes);
      return answer;
    };
  test('RUNNING', async () =>
    expect(await waitFor({ state: 'running' })()).toMatchObject({ status: 201, body: { status: 'RUNNING', created: true } }));
  test('CANCELLED', async () =>
    expect((await waitFor({ ...ending('cancelled'), startedAt: null })()).body).toMatchObject({ status: 'CANCELLED' }));
  test('TERMINATED, a batch session that was quick', async () =>
    expect((await waitFor(ending('terminated', { exitCode: 0 }), { type: 'batch', startupCommand: 'true' })()).body).toMatchObject({
      status: 'TERMINATED',
    }));
  test('ERROR', async () => {
    const cause = { code: 'command-not-found' as const, message: 'There is none.', remedy: 'Use another.' };
    expect((await waitFor(ending('error', { cause }))()).body).toMatchObject({ status: 'ERROR' });
  });
  test('an image that turns out not to exist', async () => {
    const cause = { code: 'image-not-found' as const, message: 'There is none.', remedy: 'Use another.' };
    expect(await waitFor({ ...ending('error', { cause }), startedAt: null })()).toMatchObject({
      status: 404,
      body: { title: 'No such environment image.' },
    });
  });
  test('TIMEOUT, and the session goes on', async () => {
    const answer = await stage.create({ enqueueOnly: false, maxWaitSeconds: 1 });
    expect(answer).toMatchObject({ status: 201, body: { status: 'TIMEOUT', created: true } });
    expect((await stage.js.send('GET', `/session/${String(answer.body['sessionId'])}`)).body).toMatchObject({ status: 'PENDING' });
  });
  test('who goes away leaves the session as it is', async () => {
    const name = stage.freshName();
    const gone = new AbortController();
    const waiting = stage.js.open('POST', '/session', { body: { image: 'debian', name }, signal: gone.signal });
    const id = await stage.appears(name);
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await stage.become(id, { state: 'running' });
    expect(stage.server.logged()).not.toContain('a request failed');
    expect((await stage.js.send('GET', `/session/${name}`)).body).toMatchObject({ status: 'RUNNING' });
  });
});
