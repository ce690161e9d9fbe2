import { afterAll, beforeAll, expect, test } from 'vitest';
import { FakeRuntime } from '../../../src/runtimes/fake-runtime.ts';
import { FakeReconciler } from '../../support/fake-reconciler.ts';
import { Stage } from './stage.ts';

const CROWD = 200;
const AT_A_TIME = 8;

let stage: Stage;
let reconciler: FakeReconciler;
beforeAll(async () => {
  stage = await Stage.open();
  const runtime = new FakeRuntime({ node: { cpu: 1_000, memoryBytes: 2 ** 40 } });
  reconciler = await FakeReconciler.start(stage.server.storage, { sessionsPerUser: AT_A_TIME }, runtime);
});
afterAll(async () => {
  await reconciler.stop();
  await stage.close();
});

test(`${CROWD} creates with one name at once make one session, and all are answered with it`, async () => {
  const body = { clientSessionToken: 'one-for-all' };
  const answers = await Promise.all(Array.from({ length: CROWD }, () => stage.create(body)));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(CROWD - 1);
  expect(new Set(answers.map(({ body: { sessionId } }) => sessionId)).size).toBe(1);
  expect(
    await stage.server.storage.sessions.matching(stage.server.people.alice.user.id, 'one-for-all', { dead: true, limit: 10 }),
  ).toHaveLength(1);
  await stage.js.send('DELETE', '/session/one-for-all');
});

test(`${CROWD} of them under a limit of ${AT_A_TIME} run ${AT_A_TIME} at a time, in the order they came, to the last`, async () => {
  const { runtime } = reconciler;
  let most = 0;
  const order: string[] = [];
  runtime.engine.events.on('container', () => {
    const running = [...runtime.engine.containers.values()].filter(({ observed }) => observed.phase === 'running');
    most = Math.max(most, running.length);
  });
  const made: string[] = [];
  for (let number = 0; number < CROWD; number += 1) {
    const { id } = await stage.made({ clientSessionToken: `crowd-${number}`, type: 'batch', startupCommand: 'exit 0' });
    made.push(id);
  }
  const { sessions } = stage.server.storage;
  await expect
    .poll(async () => (await Promise.all(made.map((id) => sessions.get(id)))).every((one) => one?.state === 'terminated'), {
      timeout: 120_000,
      interval: 500,
    })
    .toBe(true);
  const ended = await Promise.all(made.map((id) => sessions.get(id)));
  expect(most).toBeLessThanOrEqual(AT_A_TIME);
  const byPlace = ended
    .map((one) => ({ id: one?.id ?? '', at: one?.timeline.find(({ step }) => step === 'queue')?.endedAt ?? '' }))
    .toSorted((a, b) => a.at.localeCompare(b.at));
  order.push(...byPlace.map(({ id }) => id));
  // Those that got their places in one round have one time: each was among the first that were left.
  for (const [place, id] of order.entries()) expect(Math.abs(made.indexOf(id) - place)).toBeLessThan(AT_A_TIME);
});
