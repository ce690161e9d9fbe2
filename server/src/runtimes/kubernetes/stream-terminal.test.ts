import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { PLAIN_PROTOCOL, StreamSocket } from './stream-socket.ts';
import { terminalOf } from './stream-terminal.ts';

const FAILURE = { kind: 'Status', status: 'Failure', message: 'error attaching to container: it is not running', code: 500 };
const message = (channel: number, data: string): Buffer => Buffer.concat([Buffer.of(channel), Buffer.from(data)]);

/** What comes out of a connection that first carries output and then tells of its failure. */
async function shown(showsFailure: boolean): Promise<readonly string[]> {
  const wire = new PassThrough({ objectMode: true });
  const terminal = terminalOf({ socket: new StreamSocket(wire, PLAIN_PROTOCOL), stdin: 'none', showsFailure });
  wire.write(message(1, 'hi\n'));
  wire.end(message(3, JSON.stringify(FAILURE)));
  return Promise.all([text(terminal.stdout), text(terminal.stderr)]);
}

test('a command that could not be run says why', async () => expect(await shown(true)).toEqual(['hi\n', `${FAILURE.message}\n`]));

test('a connection that failed adds nothing to what the process printed', async () => expect(await shown(false)).toEqual(['hi\n', '']));
