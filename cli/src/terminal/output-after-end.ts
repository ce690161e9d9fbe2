import { problemOf, streams, urlOf } from '@berth/contract';
import type { Connection } from '../connection/connect.ts';
import { patiently } from '../connection/patiently.ts';
import { reachingFetch } from '../connection/reach.ts';
import { endCode, hasEnded } from '../session/end-code.ts';
import type { OutputRelay } from './output-relay.ts';
import type { Ending } from './stay-attached.ts';

/** Attaching was refused. If the session ended while nobody was connected, the rest of its output is in its kept log. */
export async function outputAfterEnd(
  { connection, session, tty }: { connection: Connection; session: string; tty: boolean },
  relay: OutputRelay,
  refusal: unknown,
): Promise<Ending> {
  const ended = await patiently(() => connection.client.getSession({ params: { session } }));
  if (!hasEnded(ended)) throw refusal;
  if (!tty) {
    relay.startOver();
    for (const stream of ['stdout', 'stderr'] as const) {
      const url = urlOf(connection.url, streams.sessionLogs.path, { params: { session }, query: { stream } });
      const response = await reachingFetch(url, { headers: { authorization: `Bearer ${connection.token}` } });
      if (!response.ok) throw await problemOf(response);
      for await (const bytes of response.body ?? []) await relay.write(stream, Buffer.from(bytes));
    }
  }
  return { kind: 'exit', code: endCode(ended), cause: ended.cause };
}
