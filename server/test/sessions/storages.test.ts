import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProblemError, type Client, type CreateSessionInput, type Session } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth, type Ran } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const SLEEP = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done'];

describe.each(PLATFORMS)('a storage on $name', ({ on, image }) => {
  let server: BerthProcess;
  let client: Client;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: image, BERTH_SWEEP_EVERY: '2s' } });
    client = await server.client();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  const storage = (...args: string[]): Promise<Ran> => berth(server, ['storage', ...args]);
  /** A session whose process has ended may have it for a moment more. */
  const remove = async (name: string): Promise<void> =>
    expect.poll(async () => (await storage('delete', name)).code, { timeout: 60_000 }).toBe(0);
  const running = async (mounts: NonNullable<CreateSessionInput['mounts']>): Promise<Session> => {
    const { id } = await client.createSession({ body: { image, pull: 'never', command: SLEEP, mounts } });
    return until(client, id, 'running', ({ state }) => state === 'running');
  };
  const inside = ({ id }: Session, script: string): Promise<Ran> => berth(server, ['session', 'exec', id, '--', 'sh', '-c', script]);
  const end = async ({ id }: Session): Promise<void> => {
    await client.terminateSession({ params: { session: id }, body: {} });
    await until(client, id, 'ended', hasEnded);
  };
  /** What a session of its own prints, and how it ends. */
  const script = (text: string, ...mounts: string[]): Promise<Ran> =>
    berth(server, ['session', 'create', '--image', image, ...mounts.flatMap((mount) => ['--mount', mount]), '--', 'sh', '-c', text]);

  test('keeps what a session wrote for the next one, owned by its user', async () => {
    expect(await storage('create', 'kept')).toMatchObject({ code: 0 });
    expect(await script('echo hello > /work/kept/note; stat -c %u /work/kept/note', 'kept')).toMatchObject({ code: 0, stdout: '1000\n' });
    expect(await script('cat /elsewhere/note; echo more >> /elsewhere/note', 'kept:/elsewhere')).toMatchObject({ stdout: 'hello\n' });
    expect(await script('cat ~/in/note', 'kept:/home/admin/in')).toMatchObject({ stdout: 'hello\nmore\n' });
    await remove('kept');
  });

  test('is the same for two sessions at once; who has it for reading cannot write', async () => {
    await storage('create', 'common');
    const [writer, reader] = await Promise.all([
      running([{ storage: 'common' }]),
      running([{ storage: 'common', target: '/data', readOnly: true }]),
    ]);
    expect(await inside(writer, 'echo one > /work/common/note')).toMatchObject({ code: 0 });
    expect(await inside(reader, 'cat /data/note')).toMatchObject({ code: 0, stdout: 'one\n' });
    expect((await inside(reader, 'echo two > /data/note')).code).not.toBe(0);
    expect(await inside(writer, 'cat /work/common/note')).toMatchObject({ stdout: 'one\n' });
    await Promise.all([end(writer), end(reader)]);
    await remove('common');
  });

  test('is not deleted under a session; afterwards it is, with all that was in it', async () => {
    await storage('create', 'wanted');
    const session = await running([{ storage: 'wanted' }]);
    // As a user may leave it: nobody, not even she, may look into this folder.
    expect(
      await inside(session, 'cd /work/wanted && echo old > note && mkdir -p shut/in && touch shut/in/it && chmod 000 shut'),
    ).toMatchObject({ code: 0 });
    const refused = await storage('delete', 'wanted');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(`"${session.name}"`) });
    expect(await inside(session, 'cat /work/wanted/note')).toMatchObject({ stdout: 'old\n' });
    await end(session);
    const { id } = await client.getStorage({ params: { storage: 'wanted' } });
    expect(await storage('delete', 'wanted')).toMatchObject({ code: 0, stdout: expect.stringContaining('is gone') });
    await expect(client.getStorage({ params: { storage: id } })).rejects.toBeInstanceOf(ProblemError);
    await storage('create', 'wanted');
    expect(await script('ls -A /work/wanted', 'wanted')).toMatchObject({ code: 0, stdout: '' });
    await remove('wanted');
  });

  test('survives the server: killed while a deletion is asked for, the next one finishes it', async () => {
    await storage('create', 'doomed');
    await script('echo x > /work/doomed/x', 'doomed');
    await expect.poll(async () => (await client.getStorage({ params: { storage: 'doomed' } })).mountedBy).toEqual([]);
    const { id } = await client.deleteStorage({ params: { storage: 'doomed' } });
    await server.kill();
    await server.start();
    client = await server.client();
    const left = (): Promise<string> =>
      client.getStorage({ params: { storage: id } }).then(
        ({ state }) => state,
        (error: unknown) => (error instanceof ProblemError ? error.code : String(error)),
      );
    await expect.poll(left, { timeout: 60_000 }).toBe('not-found');
  });

  test('stays through a pause, a restart of the session and its resuming', async () => {
    await storage('create', 'steady');
    const session = await running([{ storage: 'steady' }]);
    const ask = { params: { session: session.id }, body: {} };
    await inside(session, 'echo steady > /work/steady/note');
    await client.pauseSession(ask);
    await until(client, session.id, 'paused', ({ state }) => state === 'paused');
    expect(await storage('delete', 'steady')).toMatchObject({ code: 1 });
    await client.resumeSession(ask);
    await until(client, session.id, 'running', ({ state }) => state === 'running');
    await client.restartSession(ask);
    const again = await until(client, session.id, 'restarted', ({ state, restarts }) => state === 'running' && restarts > 0);
    expect(await inside(again, 'cat /work/steady/note')).toMatchObject({ stdout: 'steady\n' });
    expect(again.mounts).toEqual(session.mounts);
    await end(again);
    await remove('steady');
  });
});
