import type { Writable } from 'node:stream';

/** Resolves when there is room for more, or nobody left to read it. */
export function written(stream: Writable, data: Buffer): Promise<void> {
  if (stream.write(data) || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}
