import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/uuid.ts';
import { after } from '../../storage/make.ts';
import { Stage, TYPE } from './stage.ts';

const URL = 'https://hooks.example.org/?token=secret-word';
let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('a callback', () => {
  test.each(['callbackUrl', 'callback_url', 'callbackURL'])('may be asked for as %s', async (name) => {
    const { id } = await stage.made({ [name]: URL });
    expect((await stage.server.storage.sessions.get(id))?.callback).toMatchObject({ url: URL });
  });
  test.each([{ callbackUrl: null }, { callback_url: '' }, {}])('%j is none', async (body) => {
    const { id } = await stage.made(body);
    expect((await stage.server.storage.sessions.get(id))?.callback).toBeNull();
  });
  test.each(['no url', 'ftp://x/', 'http://127.0.0.1/', 'https://me:secret-word@hooks.example.org/'])(
    '%s is refused',
    async (callbackUrl) => {
      expect(await stage.create({ callbackUrl })).toMatchObject({
        status: 400,
        body: { type: `${TYPE}invalid-api-params`, data: { callbackUrl: expect.any(String) } },
      });
      expect(stage.server.logged()).not.toContain('secret-word');
    },
  );
});

describe('a background task', () => {
  async function committing(): Promise<{ session: string; task: string }> {
    const { id: session } = await stage.running();
    const task = newId();
    await change(session, { id: task });
    return { session, task };
  }
  /** What the reconciler would write. */
  async function change(session: string, commit: object): Promise<void> {
    const now = await stage.server.storage.sessions.get(session);
    if (now === undefined) throw new Error('it is gone');
    const begun = {
      id: '',
      reference: 'localhost/berth/alice/x:1',
      progress: 'saving',
      digest: null,
      cause: null,
      askedAt: now.createdAt.toISOString(),
      endedAt: null,
    };
    const next = after(now, { commit: { ...begun, ...now.commit, ...commit } });
    await stage.server.storage.sessions.save(next, { kind: 'progress', message: 'commit' }, null);
  }
  const told = (text: string): string[] => [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name ?? '');

  test('is told until its end', async () => {
    const { session, task } = await committing();
    const response = await stage.js.open('GET', `/events/background-task?taskId=${task}`);
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await expect.poll(() => told(text)).toEqual(['bgtask_updated', 'task_updated']);
    expect(text).toContain(`data: {"task_id":"${task}","message":"saving","current_progress":0,"total_progress":1}`);
    await change(session, { progress: 'the image is there', digest: 'sha256:0', endedAt: new Date().toISOString() });
    await expect.poll(() => told(text).slice(2), { timeout: 20_000 }).toEqual(['bgtask_done', 'task_done', 'server_close']);
    await expect.poll(() => response.complete).toBe(true);
  });
  test('that is over is told at once, and how it failed', async () => {
    const { session, task } = await committing();
    const cause = { code: 'rejected', message: 'the engine refused', remedy: 'ask it' };
    await change(session, { cause, endedAt: new Date().toISOString() });
    const answer = await stage.js.send('GET', `/events/background-task?task_id=${task}`);
    expect([answer.status, told(answer.text)]).toEqual([200, ['bgtask_failed', 'task_failed', 'server_close']]);
    expect(answer.text).toContain('the engine refused');
  });
  test('of somebody else, or of nobody, does not exist', async () => {
    const { task } = await committing();
    for (const [client, id] of [
      [stage.bob, task],
      [stage.root, task],
      [stage.js, newId()],
    ] as const)
      expect(await client.send('GET', `/events/background-task?taskId=${id}`)).toMatchObject({
        status: 404,
        body: { type: `${TYPE}object-not-found` },
      });
    expect((await stage.js.send('GET', '/events/background-task?taskId=x')).status).toBe(400);
  });
});
