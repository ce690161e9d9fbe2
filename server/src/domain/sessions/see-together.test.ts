import { describe, expect, test } from 'vitest';
import { containerNames } from './container-plan.ts';
import { decide } from './decide.ts';
import type { Decision, LifePolicy, Seen } from './decision.ts';
import { absent, AGAIN, asked, hasRun, MINUTE, onCluster, onEngine, later, placed, ran, spec, STARTED, up } from './example-cluster.ts';
import { exampleSession, T0 } from './example-session.ts';
import { seeTogether } from './see-together.ts';
import type { Session } from './session.ts';

const created: Seen = { phase: 'created', node: 'n1', ready: true };
const again: Seen = { ...up, startedAt: AGAIN };
const frozen: Seen = { ...up, phase: 'frozen' };
const exited = (more: Partial<Seen> = {}): Seen => ({ phase: 'exited', node: 'n1', startedAt: STARTED, exitCode: 3, ready: true, ...more });
const unplaced: Seen = {
  phase: 'created',
  ready: true,
  waiting: { for: 'room', reasons: [{ node: 'n1', reason: 'needs 1 CPU, 0 free of 2' }] },
};
const silent: Seen = { ...up, silent: { since: T0, message: 'its node n2 has not answered' } };

type Trio = readonly [Seen, Seen, Seen];
const look = (session: Session, [main, sub1, sub2]: Trio, life: LifePolicy): Seen =>
  seeTogether(
    session,
    containerNames(spec).map((name, rank) => ({ name, seen: [main, sub1, sub2][rank] ?? absent })),
    life,
  );
const short = (decision: Decision): string =>
  decision.kind === 'act'
    ? `do ${decision.action}`
    : decision.kind === 'move'
      ? `-> ${decision.to}: ${decision.reason}`
      : decision.kind === 'note'
        ? `note ${decision.reason}`
        : `wait ${decision.inMs}`;

type Row = readonly [situation: string, session: Partial<Session>, seen: Trio, expected: string, now?: Date];

const ENGINE: readonly Row[] = [
  ['nothing is there yet', { state: 'preparing', ...placed }, [absent, absent, absent], 'do launch'],
  ['killed while they were made', { state: 'preparing', ...placed }, [absent, created, created], 'do launch'],
  ['killed after main1 was made', { state: 'preparing', ...placed }, [created, absent, absent], 'do start'],
  ['killed while they were started', { state: 'preparing', ...placed }, [created, up, created], 'do start'],
  ['all run', { state: 'preparing', ...placed }, [up, up, up], '-> running: running'],
  ['main1 does not answer yet', { state: 'preparing', ...placed }, [{ ...up, ready: false }, up, up], 'wait 100'],
  [
    'one ended at once',
    { state: 'preparing', ...placed },
    [created, up, exited()],
    '-> terminating: sub2: its process ended before the session ran, exit 3',
  ],
  [
    'one could not be started',
    { state: 'preparing', ...placed },
    [created, exited({ cause: { code: 'no-shell', message: 'the image has no shell', remedy: '' } }), up],
    '-> terminating: sub1: the image has no shell',
  ],
  ['main1 ended at once', { state: 'preparing', ...placed }, [exited(), up, up], '-> terminating: finished, exit 3'],
  ['the engine was restarted under one', { state: 'preparing', ...placed }, [up, exited({ interrupted: true }), up], 'do start'],
  ['running and well', { state: 'running', ...hasRun }, [up, up, up], 'wait null'],
  ['one has died', { state: 'running', ...hasRun }, [up, exited({ exitCode: 137 }), up], 'note running, degraded: sub1 ended, exit 137'],
  [
    'one is gone',
    { state: 'running', ...hasRun },
    [up, up, absent],
    'note running, degraded: sub2 is gone: somebody outside Berth removed it',
  ],
  [
    'one has died, and that is known',
    {
      state: 'running',
      ...hasRun,
      subs: [
        { ...ran, name: 'sub1', state: 'ended', exitCode: 137, reason: 'ended, exit 137' },
        { ...ran, name: 'sub2' },
      ],
    },
    [up, exited({ exitCode: 137 }), up],
    'wait null',
  ],
  ['main1 has died', { state: 'running', ...hasRun }, [exited(), up, up], '-> terminating: finished, exit 3'],
  [
    'the engine was restarted',
    { state: 'running', ...hasRun },
    [exited({ interrupted: true }), exited({ interrupted: true }), up],
    '-> restarting: the engine was restarted; starting it again',
  ],
  ['somebody froze one', { state: 'running', ...hasRun }, [up, frozen, up], 'do thaw'],
  ['pausing freezes all', { state: 'pausing', ...hasRun, wanted: 'paused' }, [frozen, up, up], 'do freeze'],
  [
    'but for one that is dead',
    { state: 'pausing', ...hasRun, wanted: 'paused' },
    [frozen, frozen, exited()],
    '-> paused: paused: memory kept, CPU given back',
  ],
  ['somebody thawed one', { state: 'paused', ...hasRun, wanted: 'paused', frozen: true }, [frozen, up, frozen], 'do freeze'],
  [
    'the memory is given back',
    { state: 'paused', ...hasRun, wanted: 'paused', willStopAt: T0, frozen: true },
    [exited(), frozen, frozen],
    'note paused: files kept, memory and CPU given back',
  ],
  ['and that of the others', { state: 'paused', ...hasRun, wanted: 'paused' }, [exited(), frozen, frozen], 'do stop'],
  ['resuming thaws all', { state: 'preparing', ...hasRun, frozen: true }, [up, frozen, up], 'do thaw'],
  ['and starts what was dead', { state: 'preparing', ...hasRun, frozen: true }, [up, up, exited()], 'do start'],
  ['resuming those that were stopped', { state: 'preparing', ...hasRun }, [exited(), exited(), exited()], 'do start'],
  ['restarting stops all', { state: 'restarting', ...hasRun }, [exited(), up, exited()], 'do stop'],
  ['and starts all', { state: 'restarting', ...hasRun }, [exited(), exited(), absent], 'do start'],
  ['and goes on where that broke off', { state: 'restarting', ...hasRun }, [exited(), again, exited()], 'do start'],
  ['until all run anew', { state: 'restarting', ...hasRun }, [again, again, again], '-> running: running'],
  [
    'one does not last',
    { state: 'restarting', ...hasRun },
    [exited(), exited({ startedAt: AGAIN }), again],
    '-> terminating: sub1: its process ended before the session ran, exit 3',
  ],
  [
    'the files of main1 are gone',
    { state: 'restarting', ...hasRun },
    [absent, exited(), exited()],
    '-> terminating: its container is gone: somebody outside Berth removed it',
  ],
  ['ending stops all', { state: 'terminating', ...hasRun }, [exited(), exited(), up], 'do stop'],
  ['remembers the exit code of main1', { state: 'terminating', ...hasRun }, [exited(), exited(), exited()], 'note running'],
  [
    'keeps their logs',
    { state: 'terminating', ...hasRun, ending: { state: 'error', reason: '', exitCode: null, cause: null } },
    [created, exited(), absent],
    'do keep-log',
  ],
  [
    'and removes all',
    { state: 'terminating', ...hasRun, logsKept: true, ending: { state: 'error', reason: '', exitCode: null, cause: null } },
    [exited(), created, absent],
    'do remove',
  ],
];

const CLUSTER: readonly Row[] = [
  ['let in: all are made', { ...placed, grant: asked }, [absent, absent, absent], 'do create'],
  ['killed while they were made', { ...placed, grant: asked }, [unplaced, absent, absent], 'do create'],
  ['none has a place', { ...placed, grant: asked }, [unplaced, unplaced, unplaced], 'note waiting: main1: needs 1 CPU, 0 free of 2 on n1'],
  ['some have', { ...placed, grant: asked }, [created, created, unplaced], 'note waiting: sub2: needs 1 CPU, 0 free of 2 on n1'],
  [
    'some have for long: two such would wait for each other',
    { ...placed, grant: asked },
    [created, created, unplaced],
    'do ask-again',
    later(MINUTE),
  ],
  [
    'none has for long: nobody waits for what they hold',
    { ...placed, grant: asked },
    [unplaced, unplaced, unplaced],
    'note waiting: main1: needs 1 CPU, 0 free of 2 on n1',
    later(MINUTE),
  ],
  ['all have', { ...placed, grant: asked }, [created, { ...created, node: 'n2' }, created], '-> scheduled: placed on n1, n2'],
  ['what was given back is removed', { ...placed, grant: null }, [created, absent, absent], 'do release'],
  ['and asked for again', { ...placed, grant: null }, [absent, absent, absent], 'do place'],
  [
    'the image of one is on its way',
    { state: 'scheduled', ...placed },
    [created, { ...created, waiting: { for: 'image', message: 'pulling the image' } }, created],
    '-> pulling: sub1: pulling the image',
  ],
  [
    'none is let run before all can be',
    { state: 'preparing', ...placed },
    [created, { ...created, waiting: { for: 'container', message: 'mounting' } }, created],
    'note sub1: mounting',
  ],
  ['then all are', { state: 'preparing', ...placed }, [created, created, created], 'do start'],
  ['and go on where that broke off', { state: 'preparing', ...placed }, [created, up, created], 'do start'],
  ['all run', { state: 'preparing', ...placed }, [up, up, up], '-> running: running'],
  [
    'one cannot run',
    { state: 'preparing', ...placed },
    [created, exited({ cause: { code: 'image-not-found', message: 'no such image', remedy: '' } }), created],
    '-> terminating: sub1: no such image',
  ],
  ['one has died', { state: 'running', ...hasRun }, [up, exited({ exitCode: 137 }), up], 'note running, degraded: sub1 ended, exit 137'],
  [
    'the node of one is silent',
    { state: 'running', ...hasRun },
    [up, silent, up],
    'note running, degraded: sub1 is not heard of: its node n2 has not answered',
  ],
  [
    'and answers again',
    {
      state: 'running',
      ...hasRun,
      reason: 'running, degraded: sub1 silent',
      subs: [
        { ...ran, name: 'sub1', state: 'silent', reason: 'silent' },
        { ...ran, name: 'sub2' },
      ],
    },
    [up, up, up],
    'note running',
  ],
  ['the node of main1 is silent', { state: 'running', ...hasRun }, [silent, up, up], 'note its node n2 has not answered'],
  ['restarting stops all', { state: 'restarting', ...hasRun }, [exited(), up, exited()], 'do stop'],
  ['keeps their logs', { state: 'restarting', ...hasRun }, [exited(), exited(), exited()], 'do keep-log'],
  ['gives them up', { state: 'restarting', ...hasRun, logsKept: true }, [exited(), exited(), silent], 'do release'],
  ['waits for no silent node', { state: 'restarting', ...hasRun, logsKept: true }, [absent, absent, silent], 'do replace'],
  ['starts the next ones', { state: 'restarting', ...hasRun, processStartedAt: null }, [created, created, created], 'do start'],
  ['pausing stops all', { state: 'pausing', ...hasRun, wanted: 'paused' }, [exited(), up, exited()], 'do stop'],
  ['and gives them up', { state: 'pausing', ...hasRun, wanted: 'paused', logsKept: true }, [exited(), exited(), absent], 'do vacate'],
  [
    'paused: what is left is removed',
    { state: 'paused', ...hasRun, grant: null, wanted: 'paused' },
    [absent, exited(), absent],
    'do release',
  ],
  [
    'paused: a silent node is left alone',
    { state: 'paused', ...hasRun, grant: null, wanted: 'paused' },
    [absent, silent, absent],
    'wait null',
  ],
  ['ending: whoever is heard is stopped', { state: 'terminating', ...hasRun }, [exited(), silent, up], 'do stop'],
  ['and the rest is removed', { state: 'terminating', ...hasRun }, [absent, silent, absent], 'do remove'],
];

describe.each([
  ['on an engine', onEngine, ENGINE],
  ['on a cluster', onCluster, CLUSTER],
] as const)('a session of several containers %s', (_where, life, rows) => {
  for (const [situation, changes, seen, expected, now = T0] of rows) {
    test(situation, () => {
      const session = exampleSession(changes);
      expect(short(decide(session, look(session, seen, life), now, life))).toBe(expected);
    });
  }
});

test('what is said of one container is what was seen of it', () => {
  const session = exampleSession();
  expect(seeTogether(session, [{ name: 'main1', seen: up }], onEngine)).toBe(up);
});
