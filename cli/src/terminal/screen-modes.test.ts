import { expect, test } from 'vitest';
import { ScreenModes } from './screen-modes.ts';

function undoAfter(...chunks: string[]): string {
  const modes = new ScreenModes();
  for (const chunk of chunks) modes.see(Buffer.from(chunk));
  return modes.undo();
}

test.each([
  ['nothing is undone for a plain shell', ['prompt$ \x1b[31mred\x1b[0m'], ''],
  ['what is still set is put back', ['\x1b[?1049h\x1b[?2004h'], '\x1b[?1049l\x1b[?2004l'],
  ['what was put back stays so', ['\x1b[?1049h', '\x1b[?1049l'], ''],
  ['several modes in one sequence', ['\x1b[?1000;1006h'], '\x1b[?1000l\x1b[?1006l'],
  ['a sequence cut in two', ['\x1b[?10', '49h'], '\x1b[?1049l'],
  ['cut after the escape', ['\x1b', '[?25l'], '\x1b[?25h'],
  ['a hidden cursor is shown', ['\x1b[?25l'], '\x1b[?25h'],
])('%s', (_, chunks, undone) => {
  expect(undoAfter(...chunks)).toBe(undone);
});
