import { expect, test } from 'vitest';
import { exitStatusOf } from './exit-status.ts';

const failure = (message: string): string => JSON.stringify({ status: 'Failure', reason: 'InternalError', message });
const exit = (code: string): string =>
  JSON.stringify({ status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ reason: 'ExitCode', message: code }] } });

test.each([
  ['success', JSON.stringify({ metadata: {}, status: 'Success' }), { exitCode: 0 }],
  ['an exit code', exit('7'), { exitCode: 7 }],
  ['a signal', exit('137'), { exitCode: 137 }],
  ['a missing program (runc)', failure('exec: "x": executable file not found in $PATH: unknown'), { exitCode: 127 }],
  ['a missing program (crun)', failure('executable file `x` not found in $PATH: No such file or directory'), { exitCode: 127 }],
  ['a missing path', failure('exec: "/x": stat /x: no such file or directory: unknown'), { exitCode: 127 }],
  ['a file without the right', failure('exec: "/etc/passwd": permission denied: unknown'), { exitCode: 126 }],
  ['something else', failure('error dialing backend: EOF'), { failure: 'error dialing backend: EOF' }],
  ['plain text', 'command terminated', { failure: 'command terminated' }],
])('%s', (_name, status, expected) => {
  expect(exitStatusOf(status)).toMatchObject(expected);
  expect('exitCode' in exitStatusOf(status)).toBe('exitCode' in expected);
});
