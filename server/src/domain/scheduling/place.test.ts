import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seatsOf } from '../sessions/container-plan.ts';
import { EXAMPLE_SPEC, exampleSession, T0 } from '../sessions/example-session.ts';
import type { Cluster, Session } from '../sessions/session.ts';
import { sharesOf } from './dominant-share.ts';
import { neverFits } from './explain.ts';
import type { NodeCapacity } from './node-directory.ts';
import { place, roomsOf, take } from './place.ts';
import { runQueue, type QueuePolicy } from './queue.ts';
import { heldBy, heldOn } from './slots.ts';

const GIB = 1024 ** 3;
const ceilings = { unreservedMemoryShare: 0.5 };
const policy: QueuePolicy = {
  ...ceilings,
  agingMs: 300_000,
  freezeNoticeMs: 60_000,
  sessionsPerUser: 0,
  order: 'fifo',
  orchestrates: false,
};
const node = (name: string, changes: Partial<NodeCapacity> = {}): NodeCapacity => ({
  name,
  cpu: 4,
  memoryBytes: 8 * GIB,
  devices: [`${name}-gpu0`, `${name}-gpu1`],
  reachable: true,
  unreachableSince: null,
  reason: '',
  ...changes,
});
const asking = (cluster: Cluster, spec: Partial<Session['spec']> = {}, changes: Partial<Session> = {}): Session =>
  exampleSession({ spec: { ...EXAMPLE_SPEC, cpu: null, cluster, ...spec }, ...changes });
const single = (size: number): Cluster => ({ size, mode: 'single-node' });
const multi = (size: number): Cluster => ({ size, mode: 'multi-node' });
const nodesFor = (session: Session, nodes: NodeCapacity[], holding: Session[] = []): string[] | string[][] => {
  const placed = place(session, roomsOf(nodes, holding), ceilings);
  return placed.fits ? seatsOf(placed.grant).map((seat) => seat.node) : placed.reasons.map(({ node: name, reason }) => [name, reason]);
};

test('a container that was made keeps its devices, and waits for them', () => {
  const seat = { node: 'n1', cpus: 1, memoryBytes: GIB, devices: ['n1-gpu1'] };
  const resumed = exampleSession({ spec: { ...EXAMPLE_SPEC, gpu: 1 }, generation: 1, grant: seat });
  const other = exampleSession({ id: 'other', state: 'running', spec: { ...EXAMPLE_SPEC, gpu: 1 }, generation: 1, grant: seat });
  expect(place(resumed, roomsOf([node('n1')], []), ceilings)).toMatchObject({ fits: true, grant: { devices: ['n1-gpu1'] } });
  expect(place(resumed, roomsOf([node('n1')], [other]), ceilings)).toEqual({
    fits: false,
    reasons: [{ node: 'n1', reason: 'it was made with n1-gpu1, which another session uses now' }],
  });
});

describe('a session of several containers', () => {
  test('of mode single-node has all of them on one node, and resources are those of each', () => {
    const session = asking(single(3), { cpu: 1, memoryBytes: GIB });
    expect(nodesFor(session, [node('n1', { cpu: 2 }), node('n2')])).toEqual(['n2', 'n2', 'n2']);
  });

  test('of mode multi-node has each where there is room', () => {
    expect(nodesFor(asking(multi(3), { cpu: 2 }), [node('n1', { cpu: 2 }), node('n2')])).toEqual(['n2', 'n1', 'n2']);
  });

  test('gets all its places or none, and says what is missing on each node', () => {
    const nodes = [node('n1', { cpu: 2 }), node('n2')];
    expect(nodesFor(asking(multi(4), { cpu: 2 }), nodes)).toEqual([
      ['n1', 'room for 1 of its 4 containers, the next needs 2 CPUs, 0 free of 2'],
      ['n2', 'room for 2 of its 4 containers, the next needs 2 CPUs, 0 free of 4'],
    ]);
    expect(nodesFor(asking(single(3), { cpu: 2 }), nodes)).toEqual([
      ['n1', 'needs 6 CPUs, 2 free of 2, for its 3 containers'],
      ['n2', 'needs 6 CPUs, 4 free of 4, for its 3 containers'],
    ]);
  });

  test('gets devices of its own for each container', () => {
    const placed = place(asking(single(2), { gpu: 1 }), roomsOf([node('n1')], []), ceilings);
    expect(placed.fits && seatsOf(placed.grant).map(({ devices }) => devices)).toEqual([['n1-gpu0'], ['n1-gpu1']]);
  });

  test('stays with its nodes when it asks again', () => {
    const seat = { cpus: 2, memoryBytes: GIB, devices: [] };
    const grant = { ...seat, node: 'n1', subs: [{ ...seat, node: 'n2' }] };
    const resumed = asking(multi(2), { cpu: 2 }, { generation: 1, grant });
    expect(nodesFor(resumed, [node('n1'), node('n2'), node('n3', { cpu: 64 })])).toEqual(['n1', 'n2']);
    expect(nodesFor(resumed, [node('n1'), node('n2', { cpu: 1 }), node('n3')])).toEqual([
      ['n1', 'room for 1 of its 2 containers, and not for the others elsewhere'],
      ['n2', 'needs 2 CPUs, 1 free of 1'],
    ]);
  });

  test('holds what all its containers hold, on the nodes where they are', () => {
    const seat = { cpus: 1, memoryBytes: GIB, devices: [] };
    const grant = {
      ...seat,
      node: 'n1',
      subs: [
        { ...seat, node: 'n2' },
        { ...seat, node: 'n2' },
      ],
    };
    const running = asking(multi(3), { cpu: 1, memoryBytes: GIB }, { state: 'running', generation: 1, grant });
    expect(heldBy(running)).toEqual({ cpu: 3, memoryBytes: 3 * GIB, gpu: 0 });
    expect(heldOn(running, 'n2')).toEqual({ cpu: 2, memoryBytes: 2 * GIB, gpu: 0 });
    const frozen = { ...running, state: 'paused' as const, frozen: true };
    expect(heldOn(frozen, 'n2')).toEqual({ cpu: 0, memoryBytes: 2 * GIB, gpu: 0 });
    expect(roomsOf([node('n1'), node('n2')], [running]).map(({ free }) => free.cpu)).toEqual([3, 2]);
    expect(sharesOf(roomsOf([node('n1'), node('n2')], [running])).get('u1')).toBe(3 / 8);
  });
});

test('what could never be had is refused in words, with how many could', () => {
  const need = { cpu: 2, memoryBytes: 0, gpu: 0 };
  expect(neverFits(need, [node('n1'), node('n2')], single(4))).toBe(
    '4 containers with 2 CPUs each need 8 CPUs, which no node could ever hold: n1 has 4 CPUs, 8GiB of memory and 2 GPUs; n2 has 4 CPUs, 8GiB of memory and 2 GPUs. Ask for fewer containers (at most 2 of these), or for less in each',
  );
  expect(neverFits(need, [node('n1'), node('n2')], multi(4))).toBeUndefined();
  expect(neverFits(need, [node('n1'), node('n2')], multi(5))).toMatch(
    /^5 containers with 2 CPUs each need 10 CPUs, and the nodes could never hold them: .*at most 4/,
  );
  expect(neverFits({ cpu: 0, memoryBytes: 0, gpu: 0 }, [node('n1')], single(64))).toBeUndefined();
});

const anyAsk = fc.record({
  cpu: fc.option(fc.integer({ min: 1, max: 5 }).map((halves) => halves / 2)),
  memoryBytes: fc.option(fc.integer({ min: 1, max: 4 }).map((n) => n * GIB)),
  gpu: fc.integer({ min: 0, max: 2 }),
  size: fc.integer({ min: 1, max: 5 }),
  mode: fc.constantFrom('single-node' as const, 'multi-node' as const),
});
const nodes = [node('n1'), node('n2', { cpu: 6, devices: ['n2-gpu0'] }), node('n3', { memoryBytes: 3 * GIB, devices: [] })];

describe('whatever is asked', () => {
  test('all containers get a place or none does, and a place is refused only where there is none', () => {
    fc.assert(
      fc.property(fc.array(anyAsk, { maxLength: 6 }), (asks) => {
        let rooms = roomsOf(nodes, []);
        for (const { size, mode, ...spec } of asks) {
          const session = asking({ size, mode }, spec, { state: 'scheduled', generation: 0 });
          // Counted apart from the code: how many of these fit on each node.
          const capacity = rooms.map(({ free }) => {
            let count = 0;
            const room = (n: number): boolean =>
              (spec.cpu ?? 0) * n <= free.cpu + 1e-9 && (spec.memoryBytes ?? 0) * n <= free.memoryBytes && spec.gpu * n <= free.gpu;
            while (count < size && room(count + 1)) count += 1;
            return count;
          });
          const possible =
            size === 1 || mode === 'single-node' ? Math.max(...capacity) >= size : capacity.reduce((sum, n) => sum + n, 0) >= size;
          const placed = place(session, rooms, ceilings);
          if (placed.fits !== possible) return false;
          if (!placed.fits) continue;
          const seats = seatsOf(placed.grant);
          if (seats.length !== size || (mode === 'single-node' && new Set(seats.map((seat) => seat.node)).size > 1)) return false;
          if (seats.some(({ devices }) => devices.length !== spec.gpu)) return false;
          rooms = take(rooms, { ...session, grant: placed.grant });
          if (rooms.some(({ free }) => free.cpu < 0 || free.memoryBytes < 0 || free.gpu < 0)) return false;
        }
        return true;
      }),
      { numRuns: 2_000 },
    );
  });

  test('no node and no device is promised twice', () => {
    fc.assert(
      fc.property(fc.array(anyAsk, { maxLength: 8 }), (asks) => {
        const pending = asks.map(({ size, mode, ...spec }, index) => asking({ size, mode }, spec, { id: `s${index}`, name: `s${index}` }));
        const { moved } = runQueue({ now: T0, pending, holding: [] }, nodes, policy);
        const devices = moved.flatMap(({ grant }) => (grant === null ? [] : seatsOf(grant).flatMap((seat) => seat.devices)));
        if (new Set(devices).size !== devices.length) return false;
        return nodes.every(({ name, cpu, memoryBytes }) => {
          const held = moved.map((session) => heldOn(session, name));
          const sum = (of: 'cpu' | 'memoryBytes'): number => held.reduce((total, slots) => total + slots[of], 0);
          return sum('cpu') <= cpu + 1e-9 && sum('memoryBytes') <= memoryBytes;
        });
      }),
      { numRuns: 1_000 },
    );
  });
});
