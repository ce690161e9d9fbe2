import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EXAMPLE_SPEC, exampleSession, T0 } from '../sessions/example-session.ts';
import type { Session } from '../sessions/session.ts';
import { neverFits, waitingText } from './explain.ts';
import type { NodeCapacity } from './node-directory.ts';
import { runQueue, type QueuePolicy } from './queue.ts';
import { heldBy } from './slots.ts';

const GIB = 1024 ** 3;
const policy: QueuePolicy = {
  unreservedMemoryShare: 0.5,
  agingMs: 300_000,
  freezeNoticeMs: 60_000,
  sessionsPerUser: 0,
  order: 'fifo',
  orchestrates: false,
};
const node = (changes: Partial<NodeCapacity> = {}): NodeCapacity => ({
  name: 'n1',
  cpu: 2,
  memoryBytes: 8 * GIB,
  devices: ['gpu0', 'gpu1'],
  reachable: true,
  unreachableSince: null,
  reason: '',
  ...changes,
});
const asking = (id: string, spec: Partial<Session['spec']>, changes: Partial<Session> = {}): Session =>
  exampleSession({ id, name: `name-${id}`, spec: { ...EXAMPLE_SPEC, cpu: null, ...spec }, ...changes });
const holding = (id: string, spec: Partial<Session['spec']>, changes: Partial<Session> = {}): Session =>
  asking(id, spec, { state: 'running', generation: 1, grant: { node: 'n1', cpus: 1, memoryBytes: GIB, devices: [] }, ...changes });
const run = (pending: Session[], holders: Session[] = [], nodes = [node()], now = T0) =>
  runQueue({ now, pending, holding: holders }, nodes, policy);
const ids = (sessions: readonly Session[]): string[] => sessions.map(({ id }) => id);

describe('the queue', () => {
  test('says what is missing, who has it, and the place in the queue', () => {
    const { moved, waiting } = run(
      [asking('a', { cpu: 1 }), asking('b', { cpu: 1 })],
      [holding('c', { cpu: 2 }), holding('d', { cpu: 0 }, { ownerId: 'u2' })],
    );
    expect(moved).toEqual([]);
    expect(waitingText(waiting.get('b') ?? { position: 0, of: 0, reasons: [] })).toBe(
      'waiting: needs 1 CPU, 0 free of 2 (in use by your session name-c) on n1 (2nd of 2 in the queue)',
    );
  });

  test("never names a stranger's session", () => {
    const { waiting } = run([asking('a', { cpu: 2 })], [holding('x', { cpu: 1 }, { ownerId: 'u2' })]);
    expect(waiting.get('a')?.reasons[0]?.reason).toBe('needs 2 CPUs, 1 free of 2 (in use by 1 session)');
  });

  test('lets a later session that fits through', () => {
    expect(ids(run([asking('big', { cpu: 2 }), asking('small', { cpu: 1 })], [holding('c', { cpu: 1 })]).moved)).toEqual(['small']);
  });

  test('but not past one that has waited too long', () => {
    const now = new Date(T0.getTime() + policy.agingMs + 1);
    expect(
      ids(
        run([asking('big', { cpu: 2 }), asking('small', { cpu: 1 }), asking('free', {})], [holding('c', { cpu: 1 })], [node()], now).moved,
      ),
    ).toEqual(['free']);
  });

  test('finds the kind of machine that was asked for', () => {
    const nodes = [node({ architecture: 'x86_64', cpu: 64 }), node({ name: 'n2', architecture: 'aarch64' })];
    const { moved } = run([asking('arm', { architecture: 'aarch64' }), asking('any', {})], [], nodes);
    expect(moved.map(({ grant }) => grant?.node)).toEqual(['n2', 'n1']);
  });

  test('says that there is none, and lets everybody past who waits behind that', () => {
    const now = new Date(T0.getTime() + policy.agingMs + 1);
    const { moved, waiting } = run(
      [asking('arm', { architecture: 'aarch64' }), asking('b', { cpu: 1 })],
      [],
      [node({ architecture: 'x86_64' })],
      now,
    );
    expect(ids(moved)).toEqual(['b']);
    expect(waitingText(waiting.get('arm') ?? { position: 0, of: 0, reasons: [] })).toBe(
      'waiting: n1 is x86_64, aarch64 was asked for (1st of 2 in the queue)',
    );
  });

  test('assigns each device to one session', () => {
    const { moved } = run([asking('a', { gpu: 1 }), asking('b', { gpu: 1 }), asking('c', { gpu: 1 })]);
    expect(moved.map(({ grant }) => grant?.devices)).toEqual([['gpu0'], ['gpu1']]);
  });

  test('a frozen session gives its CPU back, keeps its memory, and asks for the CPU again', () => {
    const frozen = holding('f', { cpu: 2, memoryBytes: 8 * GIB }, { state: 'paused', frozen: true });
    expect(heldBy(frozen)).toEqual({ cpu: 0, memoryBytes: 8 * GIB, gpu: 0 });
    const resumed = { ...frozen, state: 'pending' as const };
    expect(ids(run([resumed], [resumed, holding('c', { cpu: 1 })]).moved)).toEqual([]);
    expect(ids(run([resumed], [resumed]).moved)).toEqual(['f']);
  });

  test('gives the oldest frozen session notice when memory is short', () => {
    const frozen = holding(
      'f',
      { memoryBytes: 6 * GIB },
      { state: 'paused', frozen: true, willStopAt: new Date(T0.getTime() + 3_600_000) },
    );
    const { moved } = run([asking('a', { memoryBytes: 4 * GIB })], [frozen]);
    expect(moved).toMatchObject([{ id: 'f', willStopAt: new Date(T0.getTime() + policy.freezeNoticeMs) }]);
  });

  test('waits for a node that does not answer', () => {
    const { waiting } = run([asking('a', {})], [], [node({ reachable: false })]);
    expect(waiting.get('a')?.reasons[0]?.reason).toBe('its engine does not answer');
  });

  test('hands out no more than there is, whatever is asked', () => {
    const anyAsk = fc.record({
      cpu: fc.option(fc.integer({ min: 1, max: 3 })),
      memoryBytes: fc.option(fc.integer({ min: 1, max: 5 }).map((n) => n * GIB)),
      gpu: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(anyAsk, { maxLength: 12 }), (asks) => {
        const nodes = [node(), node({ name: 'n2', cpu: 4, devices: ['gpu9'] })];
        const { moved } = run(
          asks.map((ask, index) => asking(`s${index}`, ask)),
          [],
          nodes,
        );
        return nodes.every((one) => {
          const here = moved.filter(({ grant }) => grant?.node === one.name);
          const total = here
            .map(heldBy)
            .reduce(
              (sum, held) => ({ cpu: sum.cpu + held.cpu, memoryBytes: sum.memoryBytes + held.memoryBytes, gpu: sum.gpu + held.gpu }),
              { cpu: 0, memoryBytes: 0, gpu: 0 },
            );
          const devices = here.flatMap(({ grant }) => grant?.devices ?? []);
          return (
            total.cpu <= one.cpu &&
            total.memoryBytes <= one.memoryBytes &&
            devices.length === new Set(devices).size &&
            devices.length === total.gpu
          );
        });
      }),
    );
  });
});

describe('the queue of a cluster', () => {
  const letIn = (nodes: NodeCapacity[]) =>
    runQueue({ now: T0, pending: [asking('a', {})], holding: [] }, nodes, { ...policy, orchestrates: true });

  test('lets in at once, with what the largest node would allow', () => {
    const [session] = letIn([node(), node({ name: 'n2', cpu: 4 })]).moved;
    expect(session).toMatchObject({ generation: 1, grant: { node: '', cpus: 4, memoryBytes: 4 * GIB } });
  });

  test('lets nobody in before the cluster has said what it has', () => {
    const { moved, waiting } = letIn([node({ cpu: 0, memoryBytes: 0, devices: [], reachable: false })]);
    expect(moved).toEqual([]);
    expect(waiting.get('a')).toEqual({ position: 1, of: 1, reasons: [], holds: [] });
  });
});

test('a request no node could ever hold is answered with what there is', () => {
  expect(neverFits({ cpu: 99, memoryBytes: 0, gpu: 0 }, [node()])).toBe(
    'no node could ever hold 99 CPUs: n1 has 2 CPUs, 8GiB of memory and 2 GPUs. Ask for no more than that',
  );
  expect(neverFits({ cpu: 2, memoryBytes: 8 * GIB, gpu: 2 }, [node()])).toBeUndefined();
});
