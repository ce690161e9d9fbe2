import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client, CreateSessionInput, Session, SessionStatistics } from '@berth/contract';
import { removeImages } from '../runtimes/engine-benches.ts';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const BUSY = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do :; done'];
const QUIET = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done'];
const PATIENCE = { timeout: 60_000, interval: 200 };
/** Its own folder of images is the user's; these are told from others by their name. */
const IMAGE_NAME = `statistics-test-${randomUUID().slice(0, 8)}`;

describe.each(PLATFORMS)('what a session on $name uses', ({ on, image, orchestrates }) => {
  let server: BerthProcess;
  let client: Client;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: image } });
    client = await server.client();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
    if ('dockerHost' in on) await removeImages(on.dockerHost, `localhost/berth/admin/${IMAGE_NAME}`);
  });

  const running = async (more: CreateSessionInput = {}): Promise<Session> => {
    const { id } = await client.createSession({ body: { image, pull: 'never', command: BUSY, resources: { cpu: 0.5 }, ...more } });
    return until(client, id, 'running', ({ state }) => state === 'running');
  };
  const counted = (session: string): Promise<SessionStatistics> => client.getSessionStatistics({ params: { session } });
  const cpuMs = async (session: string): Promise<number> => (await counted(session)).statistics?.cpuMs ?? 0;
  const end = async (id: string): Promise<Session> => {
    await client.terminateSession({ params: { session: id }, body: {} });
    return until(client, id, 'ended', hasEnded);
  };

  test('is counted while it runs, and kept when it has ended', async () => {
    const { id, name } = await running();
    await expect.poll(() => cpuMs(id), PATIENCE).toBeGreaterThan(500);
    const { live, statistics } = await counted(id);
    expect(live).toBe(true);
    expect(statistics?.memoryBytes).toBeGreaterThan(0);
    expect(statistics?.memoryMaxBytes).toBeGreaterThanOrEqual(statistics?.memoryBytes ?? Infinity);
    expect(statistics?.networkReceivedBytes).toEqual(expect.any(Number));
    expect((await berth(server, ['session', 'stats', name])).stdout).toMatch(new RegExp(`^${name} .* now\n$`, 'm'));
    const ended = await end(id);
    expect(ended.statistics?.cpuMs).toBeGreaterThanOrEqual(statistics?.cpuMs ?? Infinity);
    expect(await counted(id)).toMatchObject({ live: false, statistics: ended.statistics });
    expect((await berth(server, ['session', 'show', id])).stdout).toMatch(/Used +\S+ of CPU time, at most \S+ of memory/);
  });

  test('is the sum over a restart', async () => {
    const { id } = await running();
    await expect.poll(() => cpuMs(id), PATIENCE).toBeGreaterThan(500);
    const before = await cpuMs(id);
    await client.restartSession({ params: { session: id }, body: {} });
    await until(client, id, 'restarted', ({ state, restarts }) => state === 'running' && restarts === 1);
    await expect.poll(() => cpuMs(id), PATIENCE).toBeGreaterThan(before + 200);
    await end(id);
  });

  test('what it writes to disks is counted in bytes, where anybody counts it', async () => {
    const { id } = await running({ command: QUIET });
    const fill = 'dd if=/dev/zero of=/tmp/filled bs=1M count=8 conv=fsync';
    expect(await berth(server, ['session', 'exec', id, '--', 'sh', '-c', fill])).toMatchObject({ code: 0 });
    await expect
      .poll(async () => {
        const written = (await counted(id)).statistics?.blockWrittenBytes ?? 0;
        return written === 0 || written >= 8 * 2 ** 20;
      }, PATIENCE)
      .toBe(true);
    await end(id);
  });

  test('its files become an image that sessions start from, on an engine; a cluster says that it cannot', async () => {
    const { id, name } = await running({ command: QUIET, env: { TOKEN: 'do-not-tell' } });
    await berth(server, ['session', 'exec', id, '--', 'sh', '-c', 'echo kept > /tmp/kept']);
    const committed = await berth(server, ['session', 'commit', name, `${IMAGE_NAME}:1`, '--json']);
    if (orchestrates) {
      expect(committed).toMatchObject({ code: 1 });
      expect(JSON.parse(committed.stderr)).toMatchObject({ code: 'not-supported', status: 501 });
    } else {
      expect(committed).toMatchObject({ code: 0 });
      const { commit, state } = JSON.parse(committed.stdout) as Session;
      expect({ commit, state }).toMatchObject({
        commit: { state: 'done', image: `docker://localhost/berth/admin/${IMAGE_NAME}:1` },
        state: 'running',
      });
      const script = 'cat /tmp/kept; echo "${TOKEN:-nothing}"';
      const args = ['session', 'create', '--image', commit?.image ?? '', '--pull', 'never', '--', 'sh', '-c', script];
      expect(await berth(server, args)).toMatchObject({ code: 0, stdout: 'kept\nnothing\n' });
      expect(await until(client, id, 'running', (session) => session.state === 'running')).toMatchObject({ restarts: 0 });
    }
    await end(id);
  });
});
