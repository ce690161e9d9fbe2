import { isProblemCode, ProblemError } from '@berth/contract';
import { Failure } from '../failure.ts';
import type { InputPump } from './input-pump.ts';
import type { Link } from './link.ts';
import type { OutputRelay } from './output-relay.ts';
import type { Ending } from './stay-attached.ts';

export interface Ends {
  readonly pump: InputPump;
  readonly relay: OutputRelay;
  readonly onStatus?: (message: string) => void;
}

/** Everything that arrives over one link, to where it belongs. Undefined when the connection broke before the end. */
export async function receive(link: Link, { pump, relay, onStatus }: Ends): Promise<Ending | undefined> {
  for await (const arrival of link.arrivals) {
    if (arrival.type !== 'control') {
      await relay.write(arrival.type, arrival.bytes);
      continue;
    }
    const { message } = arrival;
    if (message.type === 'exit') return { kind: 'exit', code: message.code, cause: message.cause };
    if (message.type === 'problem') throw problemFrom(message);
    if (message.type === 'status') onStatus?.(message.message);
    if (message.type === 'attached') {
      await relay.attached(message.replayedBytes);
      pump.linkAttached(link);
    }
  }
  return undefined;
}

function problemFrom({ code, message }: { code: string; message: string }): Error {
  return isProblemCode(code) ? new ProblemError(code, message) : new Failure('failed', message);
}
