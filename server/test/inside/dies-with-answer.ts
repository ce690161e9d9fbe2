import { PassThrough } from 'node:stream';
import type { Terminal } from '../../src/runtimes/runtime.ts';

/** The process is killed as soon as it has answered, and its answer is never read. */
export function diesWithAnswer(terminal: Terminal): Terminal {
  const stdout = new PassThrough();
  terminal.stdout.on('data', (data: Buffer) => {
    if (!data.includes('"console"')) return stdout.write(data);
    terminal.close();
    return stdout.end();
  });
  return { ...terminal, stdout };
}
