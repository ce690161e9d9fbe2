import type { Output } from '../io.ts';

/** The reader of our output has gone: `berth session logs x | head`. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Resolves when `out` can take more. */
export function writeOut(out: Output, bytes: Uint8Array): Promise<void> {
  if (out.destroyed || out.writableEnded) return Promise.reject(new OutputClosed());
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new OutputClosed());
    out.once('error', failed);
    out.write(bytes, (error) => {
      if (error) return failed();
      out.off('error', failed);
      resolve();
    });
  });
}
