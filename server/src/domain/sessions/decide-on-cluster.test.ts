import { describe, expect, test } from 'vitest';
import { decideOnCluster } from './decide-on-cluster.ts';
import type { Decision, LifePolicy, Seen } from './decision.ts';
import { exampleSession, T0 } from './example-session.ts';
import type { Dependency, Session } from './session.ts';

const MINUTE = 60_000;
const policy: LifePolicy = {
  pendingMs: 60 * MINUTE,
  pullMs: 60 * MINUTE,
  readyMs: 10 * MINUTE,
  pauseMs: 2 * MINUTE,
  restartMs: 5 * MINUTE,
  stopMs: 2 * MINUTE,
  freezeForMs: 30 * MINUTE,
  canFreeze: false,
  orchestrates: true,
  nodeLostMs: 5 * MINUTE,
};
const STARTED = new Date(T0.getTime() + 1_000);
const AGAIN = new Date(T0.getTime() + 9_000);
const later = (ms: number): Date => new Date(T0.getTime() + ms);
const admitted = { grant: { node: '', cpus: 1, memoryBytes: 1e9, devices: [] }, generation: 1 };
const placed = { grant: { ...admitted.grant, node: 'n1' }, generation: 1 };
const ran = { ...placed, processStartedAt: STARTED, startedAt: STARTED, reason: 'running' };
const absent: Seen = { phase: 'absent', ready: false };
const created = (more: Partial<Seen> = {}): Seen => ({ phase: 'created', ready: false, ...more });
const onNode = (more: Partial<Seen> = {}): Seen => created({ node: 'n1', ...more });
const up: Seen = { phase: 'running', node: 'n1', startedAt: STARTED, ready: true };
const exited = (more: Partial<Seen> = {}): Seen => ({
  phase: 'exited',
  node: 'n1',
  startedAt: STARTED,
  exitCode: 3,
  ready: false,
  ...more,
});
const silent = (since: Date): Partial<Seen> => ({ silent: { since, message: 'node n1 does not answer' } });
const noRoom = { for: 'room', reasons: [{ node: 'n1', reason: 'needs 99 CPUs, 2 free of 2' }] } as const;
const pulling = { for: 'image', message: 'pulling the image' } as const;

const train: Dependency = { id: 'd1', name: 'train', state: 'terminated', result: 'failure', endedAt: T0.toISOString() };

const short = (decision: Decision): string =>
  decision.kind === 'act'
    ? `do ${decision.action}`
    : decision.kind === 'move'
      ? `-> ${decision.to}: ${decision.reason}`
      : decision.kind === 'note'
        ? `note ${decision.reason}`
        : `wait ${decision.inMs}`;

const TABLE: readonly (readonly [situation: string, session: Partial<Session>, seen: Seen, expected: string, now?: Date])[] = [
  ['a new session asks to be let in', {}, absent, 'do place'],
  ['stopped before that', { wanted: 'terminated' }, absent, '-> cancelled: cancelled before it got a place'],
  ['it starts later, however long that is', { startsAt: later(90 * MINUTE) }, absent, 'do place', later(61 * MINUTE)],
  ['what it follows takes its time', { dependencies: [{ ...train, state: 'running' }] }, absent, 'do place', later(61 * MINUTE)],
  ['what it follows failed', { dependencies: [train] }, absent, '-> cancelled: it was to follow train, which did not succeed'],
  ['let in: its container', { ...admitted }, absent, 'do create'],
  ['somebody deleted its container before it had a node', { ...admitted }, absent, 'do create'],
  ['no node has room', { ...admitted }, created({ waiting: noRoom }), 'note waiting: needs 99 CPUs, 2 free of 2 on n1'],
  ['and that is known', { ...admitted, reason: 'waiting: needs 99 CPUs, 2 free of 2 on n1' }, created({ waiting: noRoom }), 'wait 2000'],
  [
    'for too long',
    { ...admitted, reason: 'waiting: needs room' },
    created({ waiting: noRoom }),
    '-> terminating: no room within 1h: waiting: needs room',
    later(61 * MINUTE),
  ],
  ['stopped while it waits', { ...admitted, wanted: 'terminated' }, created(), '-> terminating: cancelled before it got a place'],
  ['the cluster has placed it', { ...admitted }, onNode(), '-> scheduled: placed on n1'],
  [
    'an image that nobody has',
    { ...admitted },
    exited({ cause: { code: 'image-not-found', message: 'no such image', remedy: '' } }),
    '-> terminating: no such image',
  ],
  [
    'its node makes its volumes ready, and may need to get the image still',
    { state: 'scheduled', ...placed },
    onNode({ waiting: { for: 'container', message: 'its container is being made' } }),
    'note its container is being made',
  ],
  ['its image is on its way', { state: 'scheduled', ...placed }, onNode({ waiting: pulling }), '-> pulling: pulling the image'],
  ['and still is', { state: 'pulling', ...placed, reason: 'pulling the image' }, onNode({ waiting: pulling }), 'wait 2000'],
  [
    'for ever',
    { state: 'pulling', ...placed },
    onNode({ waiting: pulling }),
    '-> terminating: its image has not arrived within 1h',
    later(61 * MINUTE),
  ],
  ['the image is there', { state: 'pulling', ...placed }, onNode(), '-> preparing: preparing its container'],
  [
    'its volumes are not',
    { state: 'preparing', ...placed },
    onNode({ waiting: { for: 'container', message: 'mounting' } }),
    'note mounting',
  ],
  ['it can be started', { state: 'preparing', ...placed }, onNode(), 'do start'],
  ['it runs', { state: 'preparing', ...placed }, up, '-> running: running'],
  [
    'its bootstrap script runs',
    { state: 'preparing', ...placed },
    { ...up, ready: false, bootstrapping: true },
    'note running its bootstrap script',
  ],
  ['it is over before it was seen running', { state: 'preparing', ...placed }, exited(), '-> terminating: finished, exit 3'],
  ['running and well', { state: 'running', ...ran }, up, 'wait null'],
  [
    'somebody deleted its container',
    { state: 'running', ...ran },
    absent,
    '-> terminating: its container is gone: somebody outside Berth removed it',
  ],
  ['its node says nothing', { state: 'running', ...ran }, { ...up, ...silent(T0) }, 'note node n1 does not answer', later(MINUTE)],
  [
    'and goes on saying nothing',
    { state: 'running', ...ran, reason: 'node n1 does not answer' },
    { ...up, ...silent(T0) },
    'wait 4000',
    later(MINUTE),
  ],
  [
    'for longer than the grace time',
    { state: 'running', ...ran },
    { ...up, ...silent(T0) },
    `-> terminating: node lost: n1 has not answered since ${T0.toISOString()}, longer than 5m`,
    later(6 * MINUTE),
  ],
  ['its node is back', { state: 'running', ...ran, reason: 'node n1 does not answer' }, up, 'note running'],
  ['what is left on a lost node is not waited for', { state: 'terminating', ...ran }, { ...up, ...silent(T0) }, 'do remove'],
  [
    'stopped while its node says nothing',
    { state: 'running', ...ran, wanted: 'terminated' },
    { ...up, ...silent(T0) },
    '-> terminating: stopped by request',
  ],
  [
    'its node was restarted',
    { state: 'running', ...ran },
    exited({ interrupted: true }),
    '-> restarting: its node was restarted; starting it again',
  ],
  [
    'a batch session is not repeated by itself',
    { state: 'running', type: 'batch', ...ran },
    exited({ interrupted: true }),
    '-> terminating: the engine or the machine was restarted while it ran',
  ],
  [
    'unless that was asked for',
    { state: 'running', type: 'batch', retry: true, ...ran },
    exited({ interrupted: true }),
    '-> restarting: its node was restarted; starting it again',
  ],
  [
    'nor when its node was restarted before it was seen running',
    { state: 'preparing', type: 'batch', ...placed },
    exited({ interrupted: true }),
    '-> terminating: the engine or the machine was restarted while it ran',
  ],
  ['its command may run on', { state: 'running', type: 'batch', ...ran, batchTimeoutMs: MINUTE }, up, 'wait 61000'],
  [
    'its command has run too long',
    { state: 'running', type: 'batch', ...ran, batchTimeoutMs: MINUTE },
    up,
    '-> terminating: it was ended because its command ran longer than 1m',
    later(61_000),
  ],
  ['pausing stops it', { state: 'pausing', ...ran, wanted: 'paused' }, up, 'do stop'],
  ['keeps its log', { state: 'pausing', ...ran, wanted: 'paused' }, exited(), 'do keep-log'],
  ['gives the container up', { state: 'pausing', ...ran, wanted: 'paused', logsKept: true }, exited(), 'do vacate'],
  ['and what else belonged to it', { state: 'pausing', ...ran, wanted: 'paused' }, absent, 'do vacate'],
  ['paused and left alone', { state: 'paused', ...ran, wanted: 'paused', grant: null }, absent, 'wait null'],
  ['a container that came back is removed', { state: 'paused', ...ran, wanted: 'paused', grant: null }, up, 'do release'],
  ['resume', { state: 'paused', ...ran, grant: null }, absent, '-> pending: resume asked for'],
  ['a resumed one is let in again', { ...ran, grant: null }, absent, 'do place'],
  ['restarting stops the old one', { state: 'restarting', ...ran }, up, 'do stop'],
  ['keeps its log', { state: 'restarting', ...ran }, exited(), 'do keep-log'],
  ['removes it', { state: 'restarting', ...ran, logsKept: true }, exited(), 'do release'],
  ['puts another in its place', { state: 'restarting', ...ran }, absent, 'do replace'],
  ['starts that', { state: 'restarting', ...ran, processStartedAt: null }, onNode(), 'do start'],
  ['which runs', { state: 'restarting', ...ran, processStartedAt: null }, { ...up, startedAt: AGAIN }, '-> running: running'],
  [
    'or has ended already',
    { state: 'restarting', ...ran, processStartedAt: null },
    exited({ startedAt: AGAIN }),
    '-> terminating: finished, exit 3',
  ],
];

describe('decide on a cluster', () => {
  for (const [situation, session, seen, expected, now = T0] of TABLE) {
    test(situation, () => expect(short(decideOnCluster(exampleSession(session), seen, now, policy))).toBe(expected));
  }

  test('what never got a place is remembered as cancelled, with the reason', () => {
    const session = exampleSession({ ...admitted, reason: 'waiting: needs 99 CPUs' });
    expect(decideOnCluster(session, created({ waiting: noRoom }), later(61 * MINUTE), policy)).toMatchObject({
      changes: { ending: { state: 'cancelled', cause: { code: 'timed-out' } } },
    });
  });

  test('a container that took the place of another tells where it is', () => {
    const session = exampleSession({ state: 'restarting', ...ran, processStartedAt: null });
    expect(decideOnCluster(session, { ...up, node: 'n2' }, T0, policy)).toMatchObject({
      to: 'running',
      changes: { grant: { node: 'n2' } },
    });
  });
});
