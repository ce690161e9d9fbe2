import xterm from '@xterm/headless';
import { expect, test } from 'vitest';
import { screenAfter } from './screen.ts';

const SIZE = { rows: 10, cols: 40 };

/** What a person sees on a terminal after these bytes. */
async function seen(...outputs: Buffer[]): Promise<{ lines: string[]; cursor: [number, number] }> {
  const terminal = new xterm.Terminal({ ...SIZE, allowProposedApi: true });
  for (const output of outputs) await new Promise<void>((resolve) => terminal.write(output, resolve));
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: SIZE.rows }, (_, row) => buffer.getLine(buffer.baseY + row)?.translateToString(true) ?? '');
  const cursor: [number, number] = [buffer.cursorX, buffer.cursorY];
  terminal.dispose();
  return { lines, cursor };
}

test.each([
  ['a prompt', '$ ls\r\na  b\r\n$ '],
  ['more than a screen', `${Array.from({ length: 50 }, (_, n) => `line ${n}`).join('\r\n')}\r\n$ `],
  ['a redrawn progress line', 'working 10%\rworking 99%'],
  ['an editor', 'before\r\n\u001b[?1049h\u001b[2J\u001b[H~ file ~\u001b[5;3Hhere'],
  ['an editor that was left', 'before\r\n\u001b[?1049h\u001b[2J\u001b[Hgone\u001b[?1049lafter'],
  ['nothing', ''],
])('a returning client sees the same screen, whatever was on hers: %s', async (_, output) => {
  const { data } = await screenAfter(Buffer.from(output), SIZE);
  expect(await seen(Buffer.from(output === '' ? '' : 'old things\r\nof her own shell'), data)).toEqual(await seen(Buffer.from(output)));
});

test('tells a full-screen program from a shell', async () => {
  expect((await screenAfter(Buffer.from('\u001b[?1049hx'), SIZE)).fullScreen).toBe(true);
  expect((await screenAfter(Buffer.from('$ '), SIZE)).fullScreen).toBe(false);
});

test("does not ask the client's terminal the questions the first one has answered", async () => {
  const { data } = await screenAfter(Buffer.from('\u001b[6n\u001b[cready'), SIZE);
  for (const question of ['\u001b[6n', '\u001b[c']) expect(data.toString()).not.toContain(question);
});
