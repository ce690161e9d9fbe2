import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { until } from '../../storage/make.ts';
import { Stage, TYPE } from './stage.ts';

const runtime = new FakeRuntime();
let stage: Stage;
let reconciler: FakeReconciler;
beforeAll(async () => {
  stage = await Stage.open({ runtime });
  reconciler = await FakeReconciler.start(stage.server.storage, {}, runtime);
});
afterAll(async () => {
  await reconciler.stop();
  await stage.close();
});

const BATCH = { type: 'batch', startupCommand: 'sleep' };
const show = async (id: string): Promise<Record<string, unknown>> => (await stage.js.send('GET', `/session/${id}`)).body;

test('a bootstrap script that fails ends the session, with its exit code', async () => {
  const answer = await stage.create({ ...BATCH, bootstrap_script: 'exit 3', enqueueOnly: false });
  expect(answer).toMatchObject({ status: 201, body: { status: 'ERROR' } });
  expect(await show(String(answer.body['sessionId']))).toMatchObject({
    statusInfo: 'failed-to-start',
    statusData: { kernel: { exit_code: 3 }, error: { name: 'bootstrap-failed' } },
  });
});

test('one that succeeds is over when the answer comes', async () => {
  const answer = await stage.create({ ...BATCH, bootstrapScript: 'exit 0', enqueueOnly: false });
  expect(answer.body).toMatchObject({ status: 'RUNNING' });
  const session = await stage.server.people.alice.client.getSession({ params: { session: String(answer.body['sessionId']) } });
  expect(session.timeline.map(({ step }) => step)).toContain('bootstrap');
});

test('ports that are asked for by number, and those of the image, are told once it runs', async () => {
  runtime.engine.imageFacts.set('lab:latest', {
    labels: { 'ai.backend.service-ports': 'jupyter:http:8081,sftp:tcp:2222' },
    exposedPorts: [],
  });
  const config = { preopen_ports: [8080, '9090'] };
  const pending = await stage.create({ lang: 'lab', ...BATCH, config, startsAt: '1h' });
  expect(pending.body).toMatchObject({ servicePorts: [] });
  const ports = [
    { name: '8080', protocol: 'preopen', ports: [8080] },
    { name: '9090', protocol: 'preopen', ports: [9090] },
    { name: 'jupyter', protocol: 'http', ports: [8081] },
    { name: 'sftp', protocol: 'tcp', ports: [2222] },
  ];
  const answer = await stage.create({ lang: 'lab', ...BATCH, config, enqueueOnly: false });
  expect(answer.body).toMatchObject({ status: 'RUNNING', servicePorts: ports, service_ports: ports });
  expect(await show(String(answer.body['sessionId']))).toMatchObject({ servicePorts: ports });
});

describe('what an image needs', () => {
  const lang = 'needy';
  beforeAll(() => {
    runtime.engine.images.add('needy:latest');
    runtime.engine.imageFacts.set('needy:latest', {
      labels: { 'ai.backend.resource.min.cpu': '1', 'ai.backend.resource.min.mem': '256m', 'ai.backend.resource.max.mem': '1g' },
      exposedPorts: [],
    });
  });

  test.each([
    ['nothing', {}, { cpu: '1', mem: String(320 * 1024 ** 2) }],
    ['0', { resources: { cpu: 0, mem: '0' } }, { cpu: '1', mem: String(320 * 1024 ** 2) }],
    ['no shared memory', { resource_opts: { shmem: '0' } }, { cpu: '1', mem: String(256 * 1024 ** 2) }],
    ['enough', { resources: { cpu: 2, mem: '512m' } }, { cpu: '2', mem: String(512 * 1024 ** 2) }],
  ])('who asks for %s gets what is needed', async (_, config, slots) => {
    const { id } = await stage.made({ lang, config });
    expect(JSON.parse(String((await show(id))['requestedSlots']))).toEqual(slots);
  });

  test.each([
    ['too little memory', { mem: '255m' }],
    ['too much memory', { mem: '1025m' }],
    ['too few CPUs', { cpu: '0.999' }],
  ])('%s is refused, naming the label', async (_, resources) => {
    expect(await stage.create({ lang, config: { resources } })).toMatchObject({
      status: 400,
      body: { type: `${TYPE}invalid-api-params`, msg: expect.stringContaining('its label ai.backend.resource.') },
    });
  });
});

describe('an architecture', () => {
  test('that no node has leaves the session pending, which says so', async () => {
    const { id } = await stage.made({ arch: 'arm64' });
    const page = await until(async () => {
      const body = await show(id);
      return body['statusInfo'] === 'no-available-instances' && body;
    }, 'the reason is told');
    expect(page).toMatchObject({
      status: 'PENDING',
      architecture: 'aarch64',
      statusData: { scheduler: { failed_predicates: [{ name: 'fake', msg: 'fake is x86_64, aarch64 was asked for' }] } },
    });
  });

  test('is part of what may be reused', async () => {
    const { id, name } = await stage.made({ architecture: 'x86_64' });
    const again = (architecture: string | null) => stage.create({ clientSessionToken: name, architecture });
    expect(await again('amd64')).toMatchObject({ status: 200, body: { sessionId: id } });
    expect(await again(null)).toMatchObject({ status: 200, body: { sessionId: id } });
    expect(await again('arm64')).toMatchObject({ status: 400, body: { type: `${TYPE}session-already-exists` } });
  });
});
