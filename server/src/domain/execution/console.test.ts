import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { merged, type Printed } from './console.ts';

const pieces = fc.array(fc.record({ stream: fc.constantFrom('stdout', 'stderr'), text: fc.string({ maxLength: 5, unit: 'binary' }) }));
const textOf = (all: readonly Printed[], stream: Printed['stream']): string =>
  all.map((piece) => (piece.stream === stream ? piece.text : '')).join('');
/** Every character with its stream, in order. */
const characters = (all: readonly Printed[]): string[] => all.flatMap(({ stream, text }) => Array.from(text, (one) => stream + one));

test('nothing is lost, added or moved, neighbours differ, and nothing is empty', () => {
  fc.assert(
    fc.property(pieces, (printed) => {
      const result = merged(printed);
      expect(textOf(result, 'stdout')).toBe(textOf(printed, 'stdout'));
      expect(textOf(result, 'stderr')).toBe(textOf(printed, 'stderr'));
      expect(characters(result)).toEqual(characters(printed));
      expect(result.filter(({ stream }, at) => result[at + 1]?.stream === stream)).toEqual([]);
      expect(result.filter(({ text }) => text === '')).toEqual([]);
    }),
  );
});

test('what is merged already stays as it is', () => {
  fc.assert(
    fc.property(pieces, (printed) => {
      expect(merged(merged(printed))).toEqual(merged(printed));
    }),
  );
});
