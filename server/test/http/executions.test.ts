import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LocalContainer } from '../support/local-container.ts';
import { after, GRANT } from '../storage/make.ts';
import { ApiServer, type Person } from './api-server.ts';

let container: LocalContainer;
let server: ApiServer;
let alice: Person;
beforeAll(async () => {
  container = await LocalContainer.make();
  server = await ApiServer.start(container.asRuntime());
  ({ alice } = server.people);
});
afterAll(async () => {
  await server.dispose();
  await container.remove();
});

/** A session that runs, as the reconciler would have left it. */
async function runningOne(name: string): Promise<string> {
  const { id } = await alice.client.createSession({ body: { name } });
  const session = await server.storage.sessions.get(id);
  if (session === undefined) throw new Error(`there is no session ${id}`);
  await server.storage.sessions.save(after(session, { state: 'running', grant: GRANT, generation: 1, startedAt: new Date() }), null, null);
  return id;
}

test('code runs, keeps its variables, and tells what it printed', async () => {
  const params = { session: await runningOne('code') };
  expect(await alice.client.runInSession({ params, body: { code: 'x = 41' } })).toEqual({
    runId: expect.any(String) as string,
    status: 'finished',
    exitCode: 0,
    raised: false,
    isPassword: false,
    console: [],
  });
  expect(await alice.client.runInSession({ params, body: { code: 'x + 1', runId: 'my-run' } })).toMatchObject({
    runId: 'my-run',
    console: [{ stream: 'stdout', text: '42\n' }],
  });
  expect(await alice.client.completeInSession({ params, body: { line: 'x.bit_l' } })).toEqual({
    completions: [expect.stringContaining('x.bit_length') as string],
  });
});

test('an answer comes after the time that was given; the next one goes on', async () => {
  const params = { session: await runningOne('patience') };
  const code = 'import os, time\nwhile not os.path.exists("go"): time.sleep(0.01)\ninput("more? ")';
  const { runId, status } = await alice.client.runInSession({ params, body: { code, waitMs: 100 } });
  expect(status).toBe('continued');
  await writeFile(join(container.work, 'go'), '');
  expect(await alice.client.runInSession({ params, body: { mode: 'continue', runId } })).toMatchObject({ status: 'waiting-input' });
  expect(await alice.client.runInSession({ params, body: { mode: 'input', runId, code: 'no' } })).toMatchObject({ status: 'finished' });
});

test('an interrupt answers the session, whether anything runs or not', async () => {
  const params = { session: await runningOne('interrupted') };
  const { runId } = await alice.client.runInSession({ params, body: { code: 'while True: pass', waitMs: 0 } });
  expect(await alice.client.interruptSession({ params, body: {} })).toMatchObject({ id: params.session, state: 'running' });
  expect(await alice.client.runInSession({ params, body: { mode: 'continue', runId } })).toMatchObject({
    status: 'finished',
    raised: true,
  });
  expect(await alice.client.interruptSession({ params, body: { runId } })).toMatchObject({ id: params.session });
});

test.each([
  ['continue without a run', { mode: 'continue' }, 'runId'],
  ['input without a run', { mode: 'input', code: 'x' }, 'runId'],
  ['a batch of nothing', { mode: 'batch' }, 'options'],
  ['an unknown mode', { mode: 'dance' }, 'mode'],
  ['a wait that is too long', { code: '1', waitMs: 60_000 }, 'waitMs'],
  ['a timeout that is none', { code: '1', timeout: 'soon' }, 'timeout'],
])('%s is refused, naming the field, and nothing is run', async (_, body, field) => {
  const answer = await server.send('POST', '/api/sessions/code/executions', { as: alice, body });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'invalid-field', field });
});

test('a session that does not run refuses code in words; somebody else hears that there is none', async () => {
  const { id } = await alice.client.createSession({ body: { name: 'not-yet' } });
  for (const path of ['executions', 'interrupt', 'complete']) {
    const body = path === 'complete' ? { line: '' } : {};
    const refused = await server.send('POST', `/api/sessions/${id}/${path}`, { as: alice, body });
    expect([refused.status, await refused.json()]).toMatchObject([
      409,
      { code: 'wrong-state', detail: expect.stringContaining('pending') as string },
    ]);
    expect((await server.send('POST', `/api/sessions/${id}/${path}`, { as: server.people.bob, body })).status).toBe(404);
    expect((await server.send('POST', `/api/sessions/${id}/${path}`, { as: server.people.root, body })).status).toBe(403);
  }
});

test('what is run is in the log of the server only as a fact', async () => {
  const params = { session: await runningOne('audited') };
  await alice.client.runInSession({ params, body: { code: 'print("the-secret-code")' } });
  expect(server.logged()).toContain('"audit":"session.run"');
  expect(server.logged()).not.toContain('the-secret-code');
});
