import type { Input } from '../io.ts';

/** Keys arrive one by one and unshown until the answered function is called; also when the process ends before that. */
export function rawMode(stdin: Input): () => void {
  if (!stdin.isTTY || !stdin.setRawMode) return () => undefined;
  stdin.setRawMode(true);
  let raw = true;
  const restore = (): void => {
    if (!raw) return;
    raw = false;
    process.off('exit', restore);
    cook(stdin);
  };
  process.on('exit', restore);
  return restore;
}

function cook(stdin: Input): void {
  try {
    stdin.setRawMode?.(false);
  } catch (error) {
    // The terminal has gone: there is nothing left to put back.
    if (!(error instanceof Error && 'code' in error && ['EIO', 'ENOTTY', 'EBADF'].includes(String(error.code)))) throw error;
  }
}
