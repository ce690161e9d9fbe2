import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { whenClosed } from './when-closed.ts';

test('whoever asks before the end is told at the end', async () => {
  const stream = new PassThrough();
  const over = vi.fn();
  whenClosed(stream, over);
  expect(over).not.toHaveBeenCalled();
  stream.destroy();
  await once(stream, 'close');
  expect(over).toHaveBeenCalledOnce();
});

test('whoever asks after the end is told at once', async () => {
  const stream = new PassThrough().destroy();
  await once(stream, 'close');
  const over = vi.fn();
  whenClosed(stream, over);
  expect(over).toHaveBeenCalledOnce();
});
