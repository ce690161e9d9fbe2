import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containerNames } from './container-plan.ts';
import { isDegraded } from './container-view.ts';
import { askedAgain, vacated } from './decide-on-cluster.ts';
import { decide, needsLook } from './decide.ts';
import { finish, type Action, type LifePolicy, type Seen } from './decision.ts';
import { absent, AGAIN, asked, grant, hasRun, onCluster, onEngine, placed, spec, STARTED, up } from './example-cluster.ts';
import { exampleSession, T0 } from './example-session.ts';
import { isFinal, moveTo, note, TRANSITIONS } from './lifecycle.ts';
import { seeTogether } from './see-together.ts';
import type { Session, SessionState, Wanted } from './session.ts';

/** What is there of each container, and a fair runtime that does what it is asked. */
interface World {
  session: Session;
  boxes: Map<string, Seen>;
}

const removeAll = (world: World): void => world.boxes.clear();

function createAll({ session, boxes }: World): void {
  for (const name of containerNames(session.spec)) if (!boxes.has(name)) boxes.set(name, { phase: 'created', node: 'n1', ready: true });
}

function change(world: World, from: readonly Seen['phase'][], to: (seen: Seen) => Seen): void {
  for (const [name, seen] of world.boxes) if (from.includes(seen.phase)) world.boxes.set(name, to(seen));
}

function startAll(world: World, now: Date): void {
  change(world, ['created', 'exited'], () => ({ phase: 'running', node: 'n1', startedAt: now, ready: true }));
}

function enact(action: Action, world: World, now: Date, life: LifePolicy): void {
  const { session } = world;
  switch (action) {
    case 'place':
      if (life.orchestrates) {
        expect([...world.boxes]).toEqual([]);
        world.session = note(session, { grant: asked, generation: session.generation + 1 });
        return createAll(world);
      }
      world.session = moveTo(session, 'scheduled', now, { reason: 'placed', grant, generation: Math.max(session.generation, 1) });
      return;
    case 'ensure-image':
      world.session = moveTo(session, 'preparing', now, { reason: 'image', imageDigest: 'sha256:1' });
      return;
    case 'launch':
      createAll(world);
      return startAll(world, now);
    case 'create':
      return createAll(world);
    case 'replace':
      // Whatever is left of this generation goes first.
      removeAll(world);
      world.session = note(session, { generation: session.generation + 1, processStartedAt: null, logsKept: false });
      return createAll(world);
    case 'start':
      if (!life.orchestrates) createAll(world);
      return startAll(world, now);
    case 'freeze':
      return change(world, ['running'], (seen) => ({ ...seen, phase: 'frozen' }));
    case 'thaw':
      return change(world, ['frozen'], (seen) => ({ ...seen, phase: 'running' }));
    case 'stop':
      return change(world, ['running', 'frozen'], (seen) => ({ ...seen, phase: 'exited', exitCode: 137 }));
    case 'keep-log':
      world.session = note(session, { logsKept: true });
      return;
    case 'release':
      return removeAll(world);
    case 'ask-again':
      removeAll(world);
      world.session = askedAgain(session);
      return;
    case 'vacate': {
      removeAll(world);
      const { to, reason, changes } = vacated();
      world.session = moveTo(session, to, now, { reason, ...changes });
      return;
    }
    case 'remove': {
      removeAll(world);
      const { to, reason, changes } = finish(session, now);
      world.session = moveTo(session, to, now, { reason, ...changes });
      return;
    }
    case 'commit':
      throw new Error('nobody asked for an image');
  }
}

/** Steps until the session waits. */
function settle(start: Session, first: readonly Seen[], life: LifePolicy): World {
  const names = containerNames(start.spec);
  const there = names.flatMap((name, rank): [string, Seen][] => {
    const seen = first[rank];
    return seen === undefined || seen.phase === 'absent' ? [] : [[name, seen]];
  });
  const world: World = { session: start, boxes: new Map(there) };
  let now = T0;
  for (let steps = 0; steps < 80; steps += 1) {
    const { session, boxes } = world;
    const sightings = names.map((name) => ({ name, seen: boxes.get(name) ?? absent }));
    const seen = needsLook(session, life) ? seeTogether(session, sightings, life) : absent;
    const decision = decide(session, seen, now, life);
    now = new Date(now.getTime() + 10);
    if (decision.kind === 'wait') return world;
    if (decision.kind === 'move') world.session = moveTo(session, decision.to, now, { reason: decision.reason, ...decision.changes });
    else if (decision.kind === 'note') world.session = note(session, { ...decision.changes, reason: decision.reason });
    else enact(decision.action, world, now, life);
  }
  throw new Error(`no rest: ${world.session.state}, ${[...world.boxes.values()].map(({ phase }) => phase).join()}`);
}

/** A cluster freezes nothing. */
const anyTrio = ({ canFreeze }: LifePolicy): fc.Arbitrary<Seen[]> => {
  const anySeen = fc.record({
    phase: fc.constantFrom<Seen['phase'][]>('absent', 'created', 'running', canFreeze ? 'frozen' : 'running', 'exited'),
    node: fc.constant('n1'),
    startedAt: fc.constantFrom(STARTED, AGAIN),
    exitCode: fc.constantFrom(0, 137),
    interrupted: fc.boolean(),
    ready: fc.constant(true),
  });
  return fc.array(anySeen, { minLength: 3, maxLength: 3 });
};
const anySession: fc.Arbitrary<Session> = fc
  .record({
    state: fc.constantFrom(...(Object.keys(TRANSITIONS) as SessionState[])),
    wanted: fc.constantFrom<Wanted[]>('running', 'paused', 'terminated'),
    beenUp: fc.boolean(),
    isFrozen: fc.boolean(),
    restart: fc.boolean(),
    type: fc.constantFrom('interactive', 'batch'),
  })
  .map(({ state, wanted, beenUp, isFrozen, restart, type }) => {
    const mustHaveRun = ['running', 'pausing', 'paused', 'restarting'].includes(state);
    const past = state === 'pending' && !beenUp ? { spec } : beenUp || mustHaveRun ? hasRun : placed;
    return exampleSession({ state, wanted, type, restartWish: restart ? 2 : 0, ...past, frozen: state === 'paused' && isFrozen });
  });
const nothing = [absent, absent, absent];
const seenOf = (session: Session, seen: readonly Seen[]): readonly Seen[] => (session.generation === 0 ? nothing : seen);

describe.each([
  ['on an engine', onEngine],
  ['on a cluster', onCluster],
])('several containers %s, from any state and whatever is there of each', (_where, life) => {
  test('with a fair runtime the session comes to rest, where it was wanted or ended', () => {
    fc.assert(
      fc.property(anySession, anyTrio(life), (session, seen) => {
        const { session: rest, boxes } = settle(session, seenOf(session, seen), life);
        if (isFinal(rest.state)) return true;
        const running = [...boxes.values()].filter(({ phase }) => phase === 'running').length;
        if (rest.state !== session.wanted) return false;
        if (rest.state === 'running') return boxes.get('main1')?.phase === 'running' && isDegraded(rest) === running < 3;
        return running === 0 && (!life.orchestrates || boxes.size === 0);
      }),
      { numRuns: 5_000 },
    );
  });

  test('what has ended leaves none of them', () => {
    fc.assert(
      fc.property(anySession, anyTrio(life), (session, seen) => {
        if (isFinal(session.state)) return true;
        const { session: rest, boxes } = settle({ ...session, wanted: 'terminated' }, seenOf(session, seen), life);
        return isFinal(rest.state) && (boxes.size === 0 || (session.state === 'pending' && session.generation === 0));
      }),
      { numRuns: 3_000 },
    );
  });

  test('a restart makes it whole', () => {
    fc.assert(
      fc.property(anyTrio(life), ([, sub1 = absent, sub2 = absent]) => {
        const session = exampleSession({ ...hasRun, state: 'running', restartWish: 2 });
        const { session: rest, boxes } = settle(session, [up, sub1, sub2], life);
        // Nobody has told of this process yet: that it ends is taken for a failed start.
        if ([sub1, sub2].some(({ startedAt }) => startedAt === AGAIN) && isFinal(rest.state)) return true;
        return rest.state === 'running' && !isDegraded(rest) && [...boxes.values()].filter(({ phase }) => phase === 'running').length === 3;
      }),
      { numRuns: 1_000 },
    );
  });
});
