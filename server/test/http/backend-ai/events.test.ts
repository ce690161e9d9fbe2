import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../storage/make.ts';
import { ApiServer } from '../api-server.ts';
import { BackendAiClient, keysFor } from './signing-client.ts';
import { ending, Stage, TYPE } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

describe('events', () => {
  class Heard {
    text = '';
    ended = false;
    readonly #response: IncomingMessage;
    constructor(response: IncomingMessage) {
      this.#response = response;
      response
        .on('data', (chunk: Buffer) => (this.text += chunk.toString()))
        .on('error', () => undefined)
        .on('close', () => (this.ended = true));
    }
    static async listen(client: BackendAiClient, target: string): Promise<Heard> {
      const heard = new Heard(await client.open('GET', target));
      await expect.poll(() => heard.text).toContain(': listening');
      return heard;
    }
    get names(): string[] {
      return [...this.text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name ?? '');
    }
    leave(): void {
      this.#response.destroy();
    }
  }
  test.each(['/events/session', '/stream/session/_/events'])('%s tells what happens to her own', async (path) => {
    const client = new BackendAiClient(stage.server.url, stage.keys.alice, 'stream');
    const heard = await Heard.listen(client, path);
    const theirs = await stage.create({}, stage.bob);
    const { id, name } = await stage.made({ type: 'batch', startupCommand: 'true' });
    await stage.become(id, { state: 'running' });
    await stage.become(id, ending('terminated', { exitCode: 0, finished: true }));
    await expect.poll(() => heard.names.at(-1), { timeout: 20_000 }).toBe('session_terminated');
    expect(heard.names).toEqual([
      'session_enqueued',
      'kernel_started',
      'session_started',
      'kernel_terminated',
      'session_success',
      'session_terminated',
    ]);
    const last = JSON.parse(heard.text.trim().split('\ndata: ').at(-1) ?? '') as unknown;
    expect(last).toEqual({
      reason: 'task-finished',
      sessionName: name,
      ownerAccessKey: stage.keys.alice.accessKey,
      sessionId: id,
      exitCode: 0,
      result: 'SUCCESS',
    });
    expect(heard.text).not.toContain(String(theirs.body['sessionId']));
    heard.leave();
  });
  test('of one session only, or of sessions only', async () => {
    const client = new BackendAiClient(stage.server.url, stage.keys.alice, 'stream');
    const [one, other] = [await stage.made(), await stage.made()];
    const heard = await Heard.listen(client, `/events/session?sessionId=${one.id}&scope=session`);
    await stage.become(other.id, { state: 'running' });
    await stage.become(one.id, { state: 'running' });
    await expect.poll(() => heard.names, { timeout: 20_000 }).toEqual(['session_started']);
    heard.leave();
  });
  test('who may not listen is told so', async () => {
    expect((await stage.bob.send('GET', `/events/session?ownerAccessKey=${stage.keys.alice.accessKey}`)).status).toBe(403);
    expect((await stage.bob.send('GET', '/events/session?group=nobodys')).status).toBe(404);
    expect((await stage.bob.send('GET', '/events/session?sessionId=x')).status).toBe(400);
  });
  test('who listens with a key that is revoked is cut off within seconds', async () => {
    const hers = await keysFor(stage.server, stage.server.people.alice);
    const heard = await Heard.listen(new BackendAiClient(stage.server.url, hers, 'stream'), '/events/session');
    await stage.server.storage.keypairs.revoke(null, hers.id, new Date());
    await expect.poll(() => heard.ended, { timeout: 20_000 }).toBe(true);
  });
  test('who waits or listens when the server stops is let go', async () => {
    const stopping = await ApiServer.start();
    const mine = await keysFor(stopping, stopping.people.alice);
    const waiting = new BackendAiClient(stopping.url, mine, 'js').send('POST', '/session', { body: { image: 'debian', name: 'waiting' } });
    const heard = await Heard.listen(new BackendAiClient(stopping.url, mine, 'stream'), '/events/session');
    await until(
      async () =>
        (await stopping.storage.sessions.list({ ownerId: null, projectId: null, states: null, all: true, limit: 1, cursor: null }))
          .items[0],
      'it waits',
    );
    await stopping.close();
    expect(await waiting).toMatchObject({ status: 503, body: { type: `${TYPE}service-unavailable` } });
    await expect.poll(() => heard.ended, { timeout: 20_000 }).toBe(true);
    await stopping.storage.close();
  });
});
