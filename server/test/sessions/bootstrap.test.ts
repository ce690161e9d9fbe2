import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const SLEEP = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done'];
/** Longer than any script here but the one that never ends. */
const READY_TIMEOUT = '30s';
const isRunning = ({ state }: Session): boolean => state === 'running';
const atItsScript = ({ reason }: Session): boolean => reason === 'running its bootstrap script';

describe.each(PLATFORMS)('a bootstrap script on $name', ({ on, image }) => {
  let server: BerthProcess;
  let client: Client;
  /** Its script never ends: it takes its time while the others are looked at. */
  let stuck: string;
  beforeAll(async () => {
    server = await BerthProcess.start({
      ...on,
      env: { BERTH_DEFAULT_IMAGE: image, BERTH_READY_TIMEOUT: READY_TIMEOUT, BERTH_STOP_GRACE: '2s' },
    });
    client = await server.client();
    stuck = (await create('echo stuck; sleep 600', { command: ['echo', 'never'] })).id;
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const create = (bootstrapScript: string, more: CreateSessionInput = {}) =>
    client.createSession({ body: { image, pull: 'never', command: SLEEP, bootstrapScript, ...more } });
  const inside = async (session: Session, script: string): Promise<string> =>
    (await berth(server, ['session', 'exec', session.id, '--', 'sh', '-c', script])).stdout;
  /** In the home that all sessions share. */
  const atHome = (script: string) => berth(server, ['session', 'create', '--image', image, '--', 'sh', '-c', script]);
  const end = async ({ id }: Session): Promise<Session> => {
    await client.terminateSession({ params: { session: id }, body: {} });
    return until(client, id, 'ended', hasEnded);
  };

  test('has done its work when the command begins, and its output comes first', async () => {
    const { id } = await create('id -u; echo prepared | tee /tmp/prepared', { type: 'batch', command: ['cat', '/tmp/prepared'] });
    const ended = await until(client, id, 'ended', hasEnded);
    expect(ended).toMatchObject({ state: 'terminated', result: 'success', lastLog: ['1000', 'prepared', 'prepared'] });
    expect(ended.timeline.map(({ step }) => step)).toEqual(expect.arrayContaining(['start', 'bootstrap']));
  });

  test('is waited for before its session is running, and before its port is asked', async () => {
    const command = ['sh', '-c', 'exec python3 -m http.server 8000'];
    const session = await until(client, (await create('sleep 1; touch /tmp/done', { port: 8000, command })).id, 'running', isRunning);
    expect(await inside(session, 'ls /tmp/done')).toBe('/tmp/done\n');
    await end(session);
  });

  test('that fails is the end of its session, with its exit code and its last lines', async () => {
    const { id } = await create('echo trying; echo no such package; exit 3', { command: ['echo', 'never'] });
    expect(await until(client, id, 'ended', hasEnded)).toMatchObject({
      state: 'error',
      exitCode: 3,
      startedAt: null,
      cause: { code: 'bootstrap-failed', message: expect.stringContaining('exit code 3') as string },
      lastLog: ['trying', 'no such package'],
    });
  });

  test('is stopped with its session', async () => {
    const { id } = await create('sleep 600');
    await until(client, id, 'at its script', atItsScript);
    await client.terminateSession({ params: { session: id }, body: {} });
    expect(await until(client, id, 'ended', hasEnded)).toMatchObject({ state: 'terminated', cause: null, startedAt: null });
  });

  test('goes on when the server is killed, once', async () => {
    const mark = `~/${randomUUID()}`;
    const { id } = await create(`echo run >>${mark}; while [ ! -e ${mark}-go ]; do sleep 0.1; done`);
    await until(client, id, 'at its script', atItsScript);
    await server.kill();
    await server.start();
    client = await server.client();
    expect(await client.getSession({ params: { session: id } })).toMatchObject({ state: 'preparing', startedAt: null });
    expect((await atHome(`touch ${mark}-go`)).code).toBe(0);
    const session = await until(client, id, 'running', isRunning);
    expect(await inside(session, `cat ${mark}; rm ${mark}*`)).toBe('run\n');
    await end(session);
  });

  test('runs again whenever the container starts again', async () => {
    const mark = `~/${randomUUID()}`;
    const { id } = await create(`echo run >>${mark}`);
    await until(client, id, 'running', isRunning);
    await client.restartSession({ params: { session: id }, body: {} });
    const again = await until(client, id, 'restarted', (session) => isRunning(session) && session.restarts === 1);
    expect(await inside(again, `cat ${mark}; rm ${mark}`)).toBe('run\nrun\n');
    await end(again);
  });

  test('prints to who entered its session, and leaves the input to the command', async () => {
    const path = join(server.dataFolder, 'setup.sh');
    await writeFile(path, 'echo first; cat');
    const entering = berth(server, ['session', 'create', '--image', image, '--bootstrap', path, '--', 'cat'], { stdin: 'typed\n' });
    expect(await entering).toMatchObject({ code: 0, stdout: 'first\ntyped\n' });
  });

  test('that outlives its time is ended, and what it printed is kept', async () => {
    expect(await until(client, stuck, 'ended', hasEnded)).toMatchObject({
      state: 'error',
      startedAt: null,
      cause: { code: 'bootstrap-failed', message: expect.stringContaining(`not done within ${READY_TIMEOUT}`) as string },
      lastLog: ['stuck'],
    });
  });
});
