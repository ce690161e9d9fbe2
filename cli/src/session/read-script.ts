import { LONGEST_BOOTSTRAP_SCRIPT } from '@berth/contract';
import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';

/** A bootstrap script as it is in its file. Never part of a message: it may hold secrets. */
export function readScript(path: string): string {
  const bytes = read(path);
  if (bytes.length > LONGEST_BOOTSTRAP_SCRIPT)
    throw new Failure(
      'usage',
      `--bootstrap: "${path}" is ${bytes.length} bytes long; a bootstrap script is at most ${LONGEST_BOOTSTRAP_SCRIPT}`,
    );
  const text = bytes.toString('utf8');
  if (text.includes('\0')) throw new Failure('usage', `--bootstrap: "${path}" holds NUL: name a text file`);
  if (text.trim() === '') throw new Failure('usage', `--bootstrap: "${path}" is empty: leave it out`);
  return text;
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure('usage', `--bootstrap: "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
