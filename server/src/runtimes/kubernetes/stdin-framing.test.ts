import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { DECODE_STDIN } from './gate.ts';
import { FRAMED_END, framed } from './stdin-framing.ts';

/** What the shell in a container makes of it. */
function decoded(...input: Buffer[]): Promise<Buffer> {
  const shell = spawn('/bin/sh', ['-c', `${DECODE_STDIN}; cat >&2`], { stdio: ['pipe', 'pipe', 'ignore'] });
  for (const piece of input) shell.stdin.write(piece);
  shell.stdin.end();
  return buffer(shell.stdout);
}

test.each([
  ['nothing', []],
  ['a line', [Buffer.from('hello\n')]],
  ['what looks like a length', [Buffer.from('0\n'), Buffer.from('12')]],
  ['any bytes, in pieces of any size', [1, 65_536, 65_537, 3_000_000].map((size) => randomBytes(size))],
])('%s comes out as it went in', async (_name, pieces) => {
  const expected = Buffer.concat(pieces);
  expect((await decoded(...pieces.map(framed), FRAMED_END)).equals(expected)).toBe(true);
});

test('the end is told, not guessed: what follows it is not input', async () => {
  expect((await decoded(framed(Buffer.from('in')), FRAMED_END, Buffer.from('out'))).toString()).toBe('in');
});

test('a frame needs no end of input to be let through', async () => {
  const shell = spawn('/bin/sh', ['-c', DECODE_STDIN], { stdio: ['pipe', 'pipe', 'ignore'] });
  shell.stdin.write(framed(Buffer.from('now')));
  for await (const data of shell.stdout) {
    expect(String(data)).toBe('now');
    break;
  }
  shell.kill();
});
