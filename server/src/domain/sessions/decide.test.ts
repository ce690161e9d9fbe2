import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { committed, newCommit } from './commit.ts';
import { vacated } from './decide-on-cluster.ts';
import { decide, needsLook } from './decide.ts';
import { finish, type Action, type Decision, type LifePolicy, type Seen } from './decision.ts';
import { exampleSession, T0 } from './example-session.ts';
import { isFinal, moveTo, note, TRANSITIONS } from './lifecycle.ts';
import { resultOf } from './result.ts';
import type { Dependency, Session, SessionState, Wanted } from './session.ts';

const MINUTE = 60_000;
const policy: LifePolicy = {
  pendingMs: 60 * MINUTE,
  pullMs: 60 * MINUTE,
  readyMs: 10 * MINUTE,
  pauseMs: 2 * MINUTE,
  restartMs: 5 * MINUTE,
  stopMs: 2 * MINUTE,
  freezeForMs: 30 * MINUTE,
  canFreeze: true,
  orchestrates: false,
  nodeLostMs: 5 * MINUTE,
};
const onCluster: LifePolicy = { ...policy, canFreeze: false, orchestrates: true };
const STARTED = new Date(T0.getTime() + 1_000);
const AGAIN = new Date(T0.getTime() + 9_000);
const later = (ms: number): Date => new Date(T0.getTime() + ms);
const grant = { node: 'n1', cpus: 1, memoryBytes: 1e9, devices: [] };
const placed = { grant, generation: 1, imageDigest: 'sha256:1' };
const ran = { ...placed, processStartedAt: STARTED, startedAt: STARTED };
const absent: Seen = { phase: 'absent', ready: false };
const up: Seen = { phase: 'running', startedAt: STARTED, ready: true };
const restarted: Seen = { phase: 'running', startedAt: AGAIN, ready: true };
const frozen: Seen = { phase: 'frozen', startedAt: STARTED, ready: false };
const exited = (more: Partial<Seen> = {}): Seen => ({ phase: 'exited', startedAt: STARTED, exitCode: 3, ready: false, ...more });

const batch = { ...placed, type: 'batch' } as const;
const follows = (state: SessionState, more: Partial<Dependency> = {}): Dependency => ({
  id: 'd1',
  name: 'train',
  state,
  result: null,
  endedAt: null,
  ...more,
});
const done = (minutes: number): Dependency => follows('terminated', { result: 'success', endedAt: later(minutes * MINUTE).toISOString() });

const short = (decision: Decision): string =>
  decision.kind === 'act'
    ? `do ${decision.action}`
    : decision.kind === 'move'
      ? `-> ${decision.to}`
      : decision.kind === 'note'
        ? 'note'
        : `wait ${decision.inMs}`;

const TABLE: readonly (readonly [situation: string, session: Partial<Session>, seen: Seen, expected: string, now?: Date])[] = [
  ['a new session looks for a place', {}, absent, 'do place'],
  ['stopped while it waits', { wanted: 'terminated' }, absent, '-> cancelled'],
  ['waited too long', {}, absent, '-> cancelled', later(61 * MINUTE)],
  ['a resumed session waits for ever rather than lose its work', { ...ran }, absent, 'do place', later(61 * MINUTE)],
  ['a resumed one that is paused again', { ...ran, wanted: 'paused' }, absent, '-> paused'],
  ['a resumed one that is stopped has a container to remove', { ...ran, wanted: 'terminated' }, absent, '-> terminating'],
  ['it starts later and has waited long for that', { startsAt: later(61 * MINUTE) }, absent, 'do place', later(61 * MINUTE - 1)],
  ['its time has come: now it waits for room', { startsAt: later(61 * MINUTE) }, absent, 'do place', later(120 * MINUTE)],
  ['and waits too long', { startsAt: later(61 * MINUTE) }, absent, '-> cancelled', later(122 * MINUTE)],
  ['what it follows takes its time', { dependencies: [follows('running')] }, absent, 'do place', later(61 * MINUTE)],
  ['what it follows has just succeeded', { dependencies: [done(60)] }, absent, 'do place', later(61 * MINUTE)],
  ['but there was no room after that', { dependencies: [done(60), done(1)] }, absent, '-> cancelled', later(121 * MINUTE)],
  ['what it follows failed', { dependencies: [done(1), follows('terminated')] }, absent, '-> cancelled'],
  ['what it follows could not run', { dependencies: [follows('error')] }, absent, '-> cancelled'],
  ['what it follows was cancelled', { dependencies: [follows('cancelled')], startsAt: later(MINUTE) }, absent, '-> cancelled'],
  ['what it follows is being stopped: not over yet', { dependencies: [follows('terminating')] }, absent, 'do place'],
  ['placed: its image', { state: 'scheduled', ...placed }, absent, 'do ensure-image'],
  ['placed again after a pause: no image is needed', { state: 'scheduled', ...ran }, absent, '-> preparing'],
  ['stopped while its image arrives', { state: 'pulling', ...placed, wanted: 'terminated' }, absent, '-> terminating'],
  ['an image that never arrives', { state: 'pulling', ...placed }, absent, '-> terminating', later(61 * MINUTE)],
  ['nothing there yet', { state: 'preparing', ...placed }, absent, 'do launch'],
  ['killed between create and start', { state: 'preparing', ...placed }, { phase: 'created', ready: false }, 'do start'],
  ['killed between start and the write', { state: 'preparing', ...placed }, up, '-> running'],
  ['its port does not answer yet', { state: 'preparing', ...placed }, { ...up, ready: false }, 'wait 100'],
  ['its port never answers', { state: 'preparing', ...placed }, { ...up, ready: false }, '-> terminating', later(11 * MINUTE)],
  ['a quick command is over before it was seen running', { state: 'preparing', ...placed }, exited(), '-> terminating'],
  ['the engine was restarted while it was starting', { state: 'preparing', ...placed }, exited({ interrupted: true }), 'do start'],
  ['resuming a stopped one: the old exit is not its end', { state: 'preparing', ...ran }, exited(), 'do start'],
  ['resuming a frozen one', { state: 'preparing', ...ran, frozen: true }, frozen, 'do thaw'],
  ['resuming one whose container is gone', { state: 'preparing', ...ran }, absent, '-> terminating'],
  ['running and well', { state: 'running', ...ran }, up, 'wait null'],
  ['its main process ended', { state: 'running', ...ran }, exited(), '-> terminating'],
  ['somebody removed its container', { state: 'running', ...ran }, absent, '-> terminating'],
  ['somebody froze its container', { state: 'running', ...ran }, frozen, 'do thaw'],
  ['the engine was restarted', { state: 'running', ...ran }, exited({ interrupted: true }), '-> restarting'],
  [
    'a batch session is not repeated by itself',
    { state: 'running', type: 'batch', ...ran },
    exited({ interrupted: true }),
    '-> terminating',
  ],
  [
    'its engine was restarted before it was seen running',
    { state: 'preparing', ...batch },
    exited({ interrupted: true }),
    '-> terminating',
  ],
  ['unless that was asked for', { state: 'running', ...batch, ...ran, retry: true }, exited({ interrupted: true }), '-> restarting'],
  ['and then it is started', { state: 'restarting', ...batch, ...ran, retry: true }, exited({ interrupted: true }), 'do start'],
  [
    'a restarted batch session is not repeated either',
    { state: 'restarting', ...batch, ...ran },
    { ...restarted, phase: 'exited', interrupted: true },
    '-> terminating',
  ],
  ['its command may run on', { state: 'running', ...batch, ...ran, batchTimeoutMs: MINUTE }, up, 'wait 61000'],
  ['its command has run too long', { state: 'running', ...batch, ...ran, batchTimeoutMs: MINUTE }, up, '-> terminating', later(61_000)],
  [
    'it ended just in time',
    { state: 'running', ...batch, ...ran, batchTimeoutMs: MINUTE },
    exited({ exitCode: 0 }),
    '-> terminating',
    later(61_000),
  ],
  ['pause asked for', { state: 'running', ...ran, wanted: 'paused' }, up, '-> pausing'],
  ['restart asked for', { state: 'running', ...ran, restartWish: 4 }, up, '-> restarting'],
  ['restart asked for, and it ended meanwhile', { state: 'running', ...ran, restartWish: 4 }, exited(), '-> restarting'],
  ['pausing freezes', { state: 'pausing', ...ran, wanted: 'paused' }, up, 'do freeze'],
  ['a freeze that does not come off becomes a stop', { state: 'pausing', ...ran, wanted: 'paused' }, up, 'do stop', later(3 * MINUTE)],
  ['stopped instead of frozen is paused too', { state: 'pausing', ...ran, wanted: 'paused' }, exited(), '-> paused', later(3 * MINUTE)],
  ['it ended while it was to be frozen', { state: 'pausing', ...ran, wanted: 'paused' }, exited(), '-> terminating'],
  ['frozen', { state: 'pausing', ...ran, wanted: 'paused' }, frozen, '-> paused'],
  ['resume asked for while pausing: the arrow is finished first', { state: 'pausing', ...ran }, frozen, '-> paused'],
  ['resume', { state: 'paused', ...ran, frozen: true }, frozen, '-> pending'],
  [
    'paused and left alone',
    { state: 'paused', ...ran, wanted: 'paused', frozen: true, willStopAt: later(30 * MINUTE) },
    frozen,
    `wait ${30 * MINUTE}`,
  ],
  ['its memory is given back', { state: 'paused', ...ran, wanted: 'paused', frozen: true, willStopAt: T0 }, frozen, 'do stop'],
  ['the engine was restarted while it was frozen', { state: 'paused', ...ran, wanted: 'paused', frozen: true }, exited(), 'note'],
  ['somebody thawed it', { state: 'paused', ...ran, wanted: 'paused', frozen: true }, up, 'do freeze'],
  ['restarting stops the old process', { state: 'restarting', ...ran }, up, 'do stop'],
  ['and starts a new one', { state: 'restarting', ...ran }, exited(), 'do start'],
  ['which is there', { state: 'restarting', ...ran }, restarted, '-> running'],
  ['or has ended already', { state: 'restarting', ...ran }, exited({ startedAt: AGAIN }), '-> terminating'],
  ['terminating stops it', { state: 'terminating', ...ran }, up, 'do stop'],
  ['remembers its exit code', { state: 'terminating', ...ran }, exited(), 'note'],
  [
    'keeps its log',
    { state: 'terminating', ...ran, ending: { state: 'terminated', reason: '', exitCode: 3, cause: null } },
    exited(),
    'do keep-log',
  ],
  [
    'removes it',
    { state: 'terminating', ...ran, logsKept: true, ending: { state: 'terminated', reason: '', exitCode: 3, cause: null } },
    exited(),
    'do remove',
  ],
  ['removes what else belongs to it', { state: 'terminating', ...ran }, absent, 'do remove'],
  ['a process that cannot be stopped is removed by force', { state: 'terminating', ...ran }, up, 'do remove', later(3 * MINUTE)],
  ['and is left to the sweep when even that fails', { state: 'terminating', ...ran }, up, '-> terminated', later(5 * MINUTE)],
];

describe('decide', () => {
  for (const [situation, session, seen, expected, now = T0] of TABLE) {
    test(situation, () => expect(short(decide(exampleSession(session), seen, now, policy))).toBe(expected));
  }

  test('what found no room in time says so as its cause', () => {
    const decision = decide(exampleSession({ reason: 'waiting: needs 1 CPU' }), absent, later(61 * MINUTE), policy);
    const cause = { code: 'timed-out', message: 'no room within 1h: waiting: needs 1 CPU' };
    expect(decision).toMatchObject({ to: 'cancelled', changes: { endedAt: later(61 * MINUTE), ending: { exitCode: null, cause } } });
  });

  test('whoever follows one that failed is told which', () => {
    expect(decide(exampleSession({ dependencies: [follows('error')] }), absent, T0, policy)).toMatchObject({
      reason: 'it was to follow train, which did not succeed',
      changes: { ending: { state: 'cancelled', cause: { code: 'dependency-failed', remedy: expect.stringContaining('train') as string } } },
    });
  });

  test('what has run too long is remembered as timed out', () => {
    const decision = decide(exampleSession({ state: 'running', ...batch, ...ran, batchTimeoutMs: MINUTE }), up, later(61_000), policy);
    expect(decision).toMatchObject({ changes: { ending: { state: 'error', cause: { code: 'timed-out' } } } });
  });

  test.each<[string, Partial<Session>, Seen, string]>([
    ['ended with 0', {}, exited({ exitCode: 0 }), 'terminated: success'],
    ['ended with 3', {}, exited(), 'terminated: failure'],
    ['was stopped, and ended with 0', { wanted: 'terminated' }, exited({ exitCode: 0 }), 'terminated: failure'],
    ['was interrupted', {}, exited({ interrupted: true }), 'error: failure'],
    ['never ran', { state: 'pending', generation: 0, grant: null, wanted: 'terminated' }, absent, 'cancelled: null'],
    ['still runs', {}, up, 'running: null'],
    ['is no batch session', { type: 'interactive' }, exited({ exitCode: 0 }), 'terminated: null'],
  ])('the result of one that %s', (_, changes, seen, expected) => {
    const rest = settle(exampleSession({ ...batch, ...ran, state: 'running', ...changes }), seen, policy).session;
    expect(`${rest.state}: ${resultOf(rest)}`).toBe(expected);
  });

  test('keeps exit code and cause of a process that was killed for its memory', () => {
    const cause = { code: 'out-of-memory', message: 'out of memory', remedy: 'ask for more' } as const;
    const decision = decide(exampleSession({ state: 'running', ...ran }), exited({ exitCode: 137, cause }), T0, policy);
    expect(decision).toMatchObject({ kind: 'move', changes: { ending: { state: 'error', exitCode: 137, cause } } });
  });
});

/** A fair runtime: every action works. */
function enact(
  action: Action,
  { session, seen }: { session: Session; seen: Seen },
  now: Date,
  life: LifePolicy,
): { session: Session; seen: Seen } {
  switch (action) {
    case 'place':
      if (life.orchestrates) {
        if (session.generation > 0 && seen.phase !== 'absent') throw new Error('a second container beside the first');
        return { session: note(session, { grant: { ...grant, node: '' }, generation: session.generation + 1 }), seen: absent };
      }
      return { session: moveTo(session, 'scheduled', now, { reason: 'placed', grant, generation: Math.max(session.generation, 1) }), seen };
    case 'ensure-image':
      return { session: moveTo(session, 'preparing', now, { reason: 'image', imageDigest: 'sha256:1' }), seen };
    case 'create':
      return { session, seen: { phase: 'created', node: 'n1', ready: false } };
    case 'replace':
      if (seen.phase === 'running') throw new Error('a second process beside the first');
      return {
        session: note(session, { generation: session.generation + 1, processStartedAt: null, logsKept: false }),
        seen: { phase: 'created', node: 'n1', ready: false },
      };
    case 'ask-again':
    case 'release':
      return { session, seen: absent };
    case 'commit':
      return { session: note(session, { commit: session.commit && committed(session.commit, 'sha256:1', now) }), seen };
    case 'vacate': {
      const { to, reason, changes } = vacated();
      return { session: moveTo(session, to, now, { reason, ...changes }), seen: absent };
    }
    case 'launch':
    case 'start':
      return { session, seen: { phase: 'running', startedAt: now, ready: true } };
    case 'freeze':
      return { session, seen: { ...seen, phase: 'frozen' } };
    case 'thaw':
      return { session, seen: { ...seen, phase: 'running', ready: true } };
    case 'stop':
      return { session, seen: { ...seen, phase: 'exited', exitCode: 137, ready: false } };
    case 'keep-log':
      return { session: note(session, { logsKept: true }), seen };
    case 'remove': {
      const { to, reason, changes } = finish(session, now);
      return { session: moveTo(session, to, now, { reason, ...changes }), seen: absent };
    }
  }
}

/** Steps until the session waits; fails when it does not come to rest. */
function settle(start: Session, firstSeen: Seen, life: LifePolicy): { session: Session; seen: Seen; waitMs: number | null } {
  let [session, seen, now] = [start, firstSeen, T0];
  for (let steps = 0; steps < 60; steps += 1) {
    const decision = decide(session, needsLook(session, life) ? seen : absent, now, life);
    now = new Date(now.getTime() + 10);
    if (decision.kind === 'wait') return { session, seen, waitMs: decision.inMs };
    if (decision.kind === 'move') session = moveTo(session, decision.to, now, { reason: decision.reason, ...decision.changes });
    else if (decision.kind === 'note') session = note(session, { ...decision.changes, reason: decision.reason });
    else ({ session, seen } = enact(decision.action, { session, seen }, now, life));
  }
  throw new Error(`no rest: ${session.state}, ${seen.phase}, wanted ${session.wanted}`);
}

const states = Object.keys(TRANSITIONS) as SessionState[];
const anySeen: fc.Arbitrary<Seen> = fc.record({
  phase: fc.constantFrom('absent', 'created', 'running', 'frozen', 'exited'),
  node: fc.constant('n1'),
  startedAt: fc.constantFrom(STARTED, AGAIN),
  exitCode: fc.constantFrom(0, 1, 137),
  interrupted: fc.boolean(),
  ready: fc.constant(true),
});
const anySession: fc.Arbitrary<Session> = fc
  .record({
    state: fc.constantFrom(...states),
    wanted: fc.constantFrom<Wanted[]>('running', 'paused', 'terminated'),
    hasRun: fc.boolean(),
    frozen: fc.boolean(),
    restart: fc.boolean(),
    type: fc.constantFrom('interactive', 'batch'),
    retry: fc.boolean(),
    batchTimeoutMs: fc.constantFrom(null, 1, MINUTE),
    startsAt: fc.constantFrom(null, T0, later(MINUTE)),
    dependencies: fc.array(fc.constantFrom(done(0), ...states.map((state) => follows(state))), { maxLength: 3 }),
    commit: fc.constantFrom(null, newCommit('c1', 'localhost/berth/alice/tool:1', T0)),
  })
  .map(({ state, wanted, hasRun, frozen: isFrozen, restart, type, ...batchOnly }) =>
    exampleSession({
      state,
      wanted,
      type,
      startsAt: batchOnly.startsAt,
      dependencies: batchOnly.dependencies,
      commit: batchOnly.commit,
      ...(type === 'batch' && batchOnly),
      restartWish: restart ? 2 : 0,
      ...(state === 'pending' && !hasRun ? {} : hasRun || ['running', 'pausing', 'paused', 'restarting'].includes(state) ? ran : placed),
      frozen: state === 'paused' && isFrozen,
    }),
  );

describe.each([
  ['on an engine', policy],
  ['on a cluster', onCluster],
])('decide %s, from any state and whatever is there', (_where, life) => {
  test('with a fair engine the session comes to rest, where it was wanted or ended', () => {
    fc.assert(
      fc.property(anySession, anySeen, (session, seen) => {
        const rest = settle(session, seen, life);
        if (isFinal(rest.session.state)) return true;
        const reached = { running: 'running', paused: 'paused', terminated: 'terminated' }[session.wanted];
        return rest.session.state === reached;
      }),
      { numRuns: 3_000 },
    );
  });

  test('nothing rests without a next look while state and wish differ', () => {
    fc.assert(
      fc.property(anySession, anySeen, (session, seen) => {
        const decision = decide(session, seen, T0, life);
        const differs =
          session.wanted === 'terminated' ? !isFinal(session.state) : session.state !== session.wanted && !isFinal(session.state);
        return !(differs && decision.kind === 'wait' && decision.inMs === null);
      }),
      { numRuns: 3_000 },
    );
  });

  test('what runs for a limited time is looked at when that is over', () => {
    fc.assert(
      fc.property(anySession, (session) => {
        const calm = { ...session, ...ran, reason: 'running', restartWish: 0, commit: null };
        const running = { ...calm, state: 'running' as const, wanted: 'running' as const };
        const decision = decide(running, up, T0, life);
        return (
          running.batchTimeoutMs === null ||
          (decision.kind === 'wait' && decision.inMs === STARTED.getTime() + running.batchTimeoutMs - T0.getTime())
        );
      }),
    );
  });

  test('the command of a batch session is run once, unless it bears repeating', () => {
    fc.assert(
      fc.property(anySession, (session) => {
        const once = { ...session, type: 'batch' as const, retry: false, restartWish: 0, wanted: 'running' as const };
        if (once.state !== 'running' && once.state !== 'preparing') return true;
        const fresh = { ...once, ...(once.state === 'preparing' && { processStartedAt: null }) };
        return isFinal(settle(fresh, exited({ interrupted: true, node: 'n1' }), life).session.state);
      }),
      { numRuns: 1_000 },
    );
  });

  test('what follows something that failed never starts', () => {
    fc.assert(
      fc.property(anySession, anySeen, (session, seen) => {
        const follower = { ...session, state: 'pending' as const, generation: 0, grant: null, startedAt: null, processStartedAt: null };
        const failing = { ...follower, dependencies: [...session.dependencies, follows('error')] };
        return settle(failing, { ...seen, phase: 'absent' }, life).session.state === 'cancelled';
      }),
      { numRuns: 1_000 },
    );
  });

  test('what has ended stays ended and leaves nothing on the engine', () => {
    fc.assert(
      fc.property(anySession, anySeen, (session, seen) => {
        const start = isFinal(session.state) ? session : { ...session, wanted: 'terminated' as const };
        const rest = settle(start, seen, life);
        return isFinal(rest.session.state) && (isFinal(session.state) || session.state === 'pending' || rest.seen.phase === 'absent');
      }),
      { numRuns: 3_000 },
    );
  });
});
