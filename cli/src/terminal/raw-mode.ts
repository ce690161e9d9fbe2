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
    stdin.setRawMode?.(false);
  };
  process.on('exit', restore);
  return restore;
}
