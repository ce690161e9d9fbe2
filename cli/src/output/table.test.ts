import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { printTable } from './table.ts';

function printed(rows: string[][], columns?: number): string[] {
  const out = new PassThrough();
  if (columns !== undefined) Object.assign(out, { isTTY: true, columns });
  printTable(['ID', 'STATE'], rows, out);
  return String(out.read()).trimEnd().split('\n');
}

test('columns are aligned and lines end without blanks', () => {
  expect(
    printed([
      ['a', 'Running'],
      ['abc', 'x'],
    ]),
  ).toEqual(['ID   STATE', 'a    Running', 'abc  x']);
});

test('on a terminal the widest column is cut until a row fits; elsewhere nothing is', () => {
  const row = ['0199a3b4-c5d6', 'Launching (image: layer 3 of 7)'];
  expect(printed([row], 30)[1]).toBe('0199a3b4-c5d6  Launching (ima…');
  expect(printed([row])[1]).toBe(row.join('  '));
});

test('what others wrote cannot steer the terminal', () => {
  expect(printed([['a', '\x1b[2Jgone\r\nnext']])[1]).toBe('a    gone  next');
});
