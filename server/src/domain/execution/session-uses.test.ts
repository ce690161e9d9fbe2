import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionUses } from './session-uses.ts';

const AT = new Date('2026-01-01T00:00:00Z');
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('count', 'executed'), id: fc.constantFrom('a', 'b') }),
  fc.record({ do: fc.constantFrom('flush', 'failing flush'), id: fc.constant('') }),
);

test('whatever is flushed when, and however often it fails: no use is lost and none is counted twice', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const uses = new SessionUses();
      const written: Record<string, number> = { a: 0, b: 0 };
      const done: Record<string, number> = { a: 0, b: 0 };
      for (const { do: what, id } of steps) {
        if (what === 'count') uses.count(id);
        if (what === 'executed') uses.executed(id, AT);
        if (id !== '') done[id] = (done[id] ?? 0) + 1;
        if (what === 'failing flush') uses.giveBack(uses.take());
        if (what === 'flush') for (const { sessionId, count } of uses.take()) written[sessionId] = (written[sessionId] ?? 0) + count;
      }
      for (const id of ['a', 'b']) expect((written[id] ?? 0) + uses.pending(id)).toBe(done[id]);
    }),
  );
});

test('the latest execution is remembered, whichever comes back from a failed write', () => {
  const uses = new SessionUses();
  uses.executed('a', AT);
  const failed = uses.take();
  uses.executed('a', new Date(AT.getTime() + 1));
  uses.giveBack(failed);
  expect(uses.take()).toEqual([{ sessionId: 'a', count: 2, executedAt: new Date(AT.getTime() + 1) }]);
});
