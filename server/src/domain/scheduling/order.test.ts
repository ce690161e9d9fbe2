import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EXAMPLE_SPEC, exampleSession, T0 } from '../sessions/example-session.ts';
import type { Session } from '../sessions/session.ts';
import { sharesOf } from './dominant-share.ts';
import type { NodeCapacity } from './node-directory.ts';
import { QUEUE_ORDERS, type QueueOrder } from './order.ts';
import { roomsOf } from './place.ts';
import { runQueue, type QueuePolicy } from './queue.ts';
import { heldBy } from './slots.ts';

const GIB = 1024 ** 3;
const MINUTE = 60_000;
const NODE: NodeCapacity = {
  name: 'n1',
  cpu: 4,
  memoryBytes: 8 * GIB,
  devices: ['gpu0', 'gpu1'],
  reachable: true,
  unreachableSince: null,
  reason: '',
};
const policy = (order: QueueOrder): QueuePolicy => ({
  unreservedMemoryShare: 0.5,
  agingMs: 5 * MINUTE,
  freezeNoticeMs: MINUTE,
  sessionsPerUser: 0,
  order,
  orchestrates: false,
});
type Asked = Partial<Pick<Session['spec'], 'cpu' | 'memoryBytes' | 'gpu'>>;
const asking = (id: string, spec: Asked, changes: Partial<Session> = {}): Session =>
  exampleSession({ id, name: `name-${id}`, spec: { ...EXAMPLE_SPEC, cpu: null, ...spec }, ...changes });
const holding = (id: string, spec: Asked, ownerId = 'u1'): Session =>
  asking(id, spec, { ownerId, state: 'running', generation: 1, grant: { node: 'n1', cpus: 1, memoryBytes: GIB, devices: [] } });
const at = (minutes: number): Date => new Date(T0.getTime() + minutes * MINUTE);

/** Who gets a place, in that order. */
function picked(order: QueueOrder, pending: Session[], { holders = [], now = T0 }: { holders?: Session[]; now?: Date } = {}): string[] {
  return runQueue({ now, pending, holding: holders }, [NODE], policy(order)).moved.map(({ id }) => id);
}

const three = [asking('a', { cpu: 2 }), asking('b', { cpu: 3 }), asking('c', { cpu: 1 })];
const ofUsers = [
  asking('a1', { cpu: 1 }),
  asking('a2', { cpu: 1 }),
  asking('b1', { cpu: 1 }, { ownerId: 'u2' }),
  asking('b2', { cpu: 1 }, { ownerId: 'u2' }),
];
const TABLE: readonly (readonly [
  situation: string,
  order: QueueOrder,
  pending: Session[],
  expected: string[],
  more?: { holders?: Session[]; now?: Date },
])[] = [
  ['oldest first, and who fits is let through', 'fifo', three, ['a', 'c']],
  ['oldest first, and nobody is let through', 'strict-fifo', three, ['a']],
  ['not even who reserves nothing', 'strict-fifo', [asking('a', { cpu: 4 }), asking('b', {})], [], { holders: [holding('h', { cpu: 1 })] }],
  ['newest first', 'lifo', three, ['c', 'b']],
  [
    'newest first, but who has waited too long comes before',
    'lifo',
    [three[0] as Session, asking('z', { cpu: 3 }, { stateSince: at(9) })],
    ['a'],
    { now: at(10) },
  ],
  [
    'and keeps free what it needs',
    'lifo',
    [asking('a', { cpu: 4 }), asking('z', { cpu: 1 }, { stateSince: at(9) })],
    [],
    { now: at(10), holders: [holding('h', { cpu: 1 })] },
  ],
  ['users take turns', 'drf', ofUsers, ['a1', 'b1', 'a2', 'b2']],
  ['who holds less comes first', 'drf', ofUsers, ['b1', 'b2'], { holders: [holding('h', { cpu: 2 })] }],
  ['of any resource', 'drf', ofUsers, ['b1', 'a1', 'a2', 'b2'], { holders: [holding('h', { memoryBytes: 2 * GIB })] }],
  [
    'one that does not fit costs its user no turn',
    'drf',
    [asking('big', { cpu: 4 }, { ownerId: 'u2' }), ...ofUsers],
    ['b1', 'a1', 'b2'],
    { holders: [holding('h', { cpu: 1 })] },
  ],
  [
    'who has waited too long comes first',
    'drf',
    [asking('old', { cpu: 1 }), asking('b1', { cpu: 1 }, { ownerId: 'u2', stateSince: at(9) })],
    ['old', 'b1'],
    { now: at(10), holders: [holding('h', { cpu: 2 })] },
  ],
];

describe('the order of the queue', () => {
  for (const [situation, order, pending, expected, more] of TABLE) {
    test(`${order}: ${situation}`, () => expect(picked(order, pending, more)).toEqual(expected));
  }

  test('waiting for a start time or another session does not make one old', () => {
    const late = asking('late', { cpu: 4 }, { startsAt: at(100) });
    const follower = asking(
      'follower',
      { cpu: 4 },
      {
        dependencies: [{ id: 'd', name: 'd', state: 'terminated', result: 'success', endedAt: at(100).toISOString() }],
      },
    );
    const small = asking('small', { cpu: 1 });
    expect(picked('fifo', [late, follower, small], { now: at(101), holders: [holding('h', { cpu: 1 })] })).toEqual(['small']);
    expect(picked('fifo', [late, small], { now: at(106), holders: [holding('h', { cpu: 1 })] })).toEqual([]);
  });
});

const anyAsk = fc.record({
  cpu: fc.option(fc.integer({ min: 1, max: 5 })),
  memoryBytes: fc.option(fc.integer({ min: 1, max: 9 }).map((n) => n * GIB)),
  gpu: fc.integer({ min: 0, max: 3 }),
});
const anyQueue = fc
  .array(fc.record({ ask: anyAsk, owner: fc.constantFrom('u1', 'u2', 'u3'), waited: fc.integer({ min: 0, max: 10 }) }), { maxLength: 12 })
  .map((wishes) => wishes.map(({ ask, owner, waited }, index) => asking(`s${index}`, ask, { ownerId: owner, stateSince: at(-waited) })));

describe.each(QUEUE_ORDERS)('%s, whatever is asked', (order) => {
  test('hands out no more than there is, and to nobody more than the limit', () => {
    fc.assert(
      fc.property(anyQueue, fc.nat(3), (pending, sessionsPerUser) => {
        const { moved, waiting } = runQueue({ now: T0, pending, holding: [] }, [NODE], { ...policy(order), sessionsPerUser });
        const held = moved.map(heldBy);
        const sum = (of: (slots: (typeof held)[number]) => number): number => held.map(of).reduce((a, b) => a + b, 0);
        const most = Math.max(0, ...['u1', 'u2', 'u3'].map((owner) => moved.filter(({ ownerId }) => ownerId === owner).length));
        return (
          sum(({ cpu }) => cpu) <= NODE.cpu &&
          sum(({ memoryBytes }) => memoryBytes) <= NODE.memoryBytes &&
          sum(({ gpu }) => gpu) <= NODE.devices.length &&
          (sessionsPerUser === 0 || most <= sessionsPerUser) &&
          moved.length + waiting.size === pending.length
        );
      }),
    );
  });

  test('everybody who waits is told why, and has a place in the queue of her own', () => {
    fc.assert(
      fc.property(anyQueue, (pending) => {
        const { waiting } = runQueue({ now: T0, pending, holding: [] }, [NODE], policy(order));
        const told = [...waiting.values()];
        return (
          told.every(({ reasons, position, of }) => reasons.length > 0 && position >= 1 && position <= of) &&
          new Set(told.map(({ position }) => position)).size === told.length
        );
      }),
    );
  });

  test('nobody starves: the largest gets its place although small ones never stop coming', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom('u1', 'u2', 'u3'), { minLength: 40, maxLength: 40 }),
        (lives, owners) => {
          let pending = [asking('big', { cpu: 4 }, { ownerId: 'u1' })];
          let running: { session: Session; until: number }[] = [{ session: holding('h', { cpu: 2 }, 'u2'), until: lives }];
          for (const [minute, owner] of owners.entries()) {
            running = running.filter(({ until }) => until > minute);
            pending.push(asking(`s${minute}`, { cpu: 1 }, { ownerId: owner, stateSince: at(minute) }));
            const { moved } = runQueue({ now: at(minute), pending, holding: running.map(({ session }) => session) }, [NODE], policy(order));
            if (moved.some(({ id }) => id === 'big')) return true;
            pending = pending.filter(({ id }) => !moved.some((session) => session.id === id));
            running.push(...moved.map((session) => ({ session, until: minute + lives })));
          }
          return false;
        },
      ),
    );
  });
});

test('drf picks a user with the smallest share, at every turn', () => {
  const anyHolders = fc.array(
    fc.record({ owner: fc.constantFrom('u1', 'u2', 'u3'), cpu: fc.nat(1), memoryBytes: fc.nat(2).map((n) => n * GIB) }),
    { maxLength: 3 },
  );
  fc.assert(
    fc.property(anyHolders, fc.array(fc.constantFrom('u1', 'u2', 'u3'), { minLength: 1, maxLength: 6 }), (held, owners) => {
      const holders = held.map(({ owner, ...spec }, index) => holding(`h${index}`, spec, owner));
      const pending = owners.map((ownerId, index) => asking(`s${index}`, { cpu: 0.1 }, { ownerId }));
      const { moved } = runQueue({ now: T0, pending, holding: holders }, [NODE], policy('drf'));
      return moved.every((session, index) => {
        const shares = sharesOf(roomsOf([NODE], [...holders, ...moved.slice(0, index)]));
        const shareOf = (owner: string): number => shares.get(owner) ?? 0;
        const left = moved.slice(index).map(({ ownerId }) => ownerId);
        const older = moved.slice(index).filter(({ ownerId }) => ownerId === session.ownerId);
        return (
          left.every((owner) => shareOf(session.ownerId) <= shareOf(owner)) &&
          older.every(({ id }) => Number(id.slice(1)) >= Number(session.id.slice(1)))
        );
      });
    }),
  );
});
