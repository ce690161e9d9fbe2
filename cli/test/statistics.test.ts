import type { Statistics } from '@berth/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment } from './run-berth.ts';
import { StandInServer } from './stand-in-server.ts';
import { standInCommit } from './stand-in-session.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
});
afterEach(() => server.stop());

const berth = (...args: string[]) => runInProcess(args, env);

const USED: Statistics = {
  at: '2026-01-01T12:30:00.000Z',
  cpuMs: 90_000,
  memoryBytes: 200 * 1024 ** 2,
  memoryMaxBytes: 1.5 * 1024 ** 3,
  networkReceivedBytes: 2048,
  networkSentBytes: 100,
  blockReadBytes: null,
  blockWrittenBytes: null,
};

test('stats shows what sessions use, and says what nobody counts and what was counted when', async () => {
  const { id: first } = server.add({ name: 'train' });
  server.move(first, 'running', 'ready', { statistics: USED });
  const { id: second } = server.add({ name: 'rest' });
  server.move(second, 'paused', 'paused', { statistics: USED });
  server.add({ name: 'wait' });
  const rows = (await berth('session', 'stats')).stdout.split('\n').map((line) => line.trimEnd().split(/ {2,}/));
  expect(rows).toEqual([
    ['NAME', 'CPU TIME', 'MEMORY', 'MOST', 'RECEIVED', 'SENT', 'READ', 'WRITTEN', 'COUNTED'],
    ['wait', '-', '-', '-', '-', '-', '-', '-', 'never'],
    ['rest', '1m30s', '200MiB', '1.5GiB', '2KiB', '100B', '-', '-', '30m ago'],
    ['train', '1m30s', '200MiB', '1.5GiB', '2KiB', '100B', '-', '-', 'now'],
    [''],
  ]);
});

test('stats of named sessions as a document; none at all is a sentence', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'running', 'ready', { statistics: USED });
  expect(JSON.parse((await berth('session', 'stats', 'train', '--json')).stdout)).toEqual({
    items: [{ id, name: 'train', live: true, statistics: USED }],
    next: null,
  });
  server.move(id, 'terminated', 'over');
  expect(await berth('session', 'stats')).toMatchObject({ code: 0, stdout: '', stderr: 'None of your sessions is live.\n' });
  expect((await berth('session', 'stats', 'nobody')).code).toBe(1);
});

test('watching ends with the sessions that were named', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'terminated', 'over', { statistics: USED });
  expect((await berth('session', 'stats', 'train', '--watch')).stdout).toContain('1m30s');
});

test('show tells what a session has used, and the image that was made of it', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'running', 'ready', { statistics: USED, commit: { ...standInCommit('tool:1'), state: 'done' } });
  const { stdout } = await berth('session', 'show', 'train');
  expect(stdout).toMatch(/Used +1m30s of CPU time, at most 1.5GiB of memory, 2KiB received and 100B sent\n/);
  expect(stdout).toMatch(/Image of it +docker:\/\/localhost\/berth\/ada\/tool:1\n/);
});

test('commit waits until the image is there, and says how to use it', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'running', 'ready');
  const committing = berth('session', 'commit', 'train', 'tool:1');
  await server.asked('/api/sessions/train/commit');
  server.change(id, { commit: { ...standInCommit('tool:1'), state: 'done' } });
  const { code, stdout } = await committing;
  expect(code).toBe(0);
  expect(stdout).toContain('docker://localhost/berth/ada/tool:1 was made of train.');
  expect(stdout).toContain('berth session create --image docker://localhost/berth/ada/tool:1');
});

test('commit says why there is none', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'running', 'ready');
  const committing = berth('session', 'commit', 'train', 'tool:1');
  await server.asked('/api/sessions/train/commit');
  server.change(id, { commit: { ...standInCommit('tool:1'), state: 'failed', message: 'the disk is full: free space' } });
  expect(await committing).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('no image was made of train: the disk is full: free space') as string,
  });
});

test('commit --no-wait only asks', async () => {
  const { id } = server.add({ name: 'train' });
  server.move(id, 'running', 'ready');
  expect(JSON.parse((await berth('session', 'commit', 'train', 'tool', '--no-wait', '--json')).stdout)).toMatchObject({
    id,
    commit: { state: 'working', image: 'docker://localhost/berth/ada/tool' },
  });
});
