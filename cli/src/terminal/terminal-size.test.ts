import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { terminalSize } from './terminal-size.ts';

const screen = (rows: number, columns: number) => Object.assign(new PassThrough(), { rows, columns });

test('only a screen that has a size tells one: 0 by 0 is none, and the server would refuse it', () => {
  expect(terminalSize(screen(24, 80))).toEqual({ rows: 24, cols: 80 });
  expect(terminalSize(screen(0, 0))).toBeUndefined();
  expect(terminalSize(new PassThrough())).toBeUndefined();
});
