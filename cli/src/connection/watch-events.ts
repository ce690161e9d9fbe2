import { FINAL_STATES, problemOf, SessionEvent, streams, urlOf } from '@berth/contract';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Failure } from '../failure.ts';
import { backoff } from './backoff.ts';
import type { Connection } from './connect.ts';
import { reachingFetch } from './reach.ts';

/** Events of one session (ends with it) or of all of yours (never ends). Survives a server that restarts. */
export async function* watchEvents(
  connection: Connection,
  options: { session?: string; after?: string; signal?: AbortSignal },
): AsyncGenerator<SessionEvent> {
  let after = options.after;
  let retry = backoff();
  for (;;) {
    try {
      for await (const event of openStream(connection, { ...options, after })) {
        retry = backoff();
        after = event.id;
        yield event;
        if (options.session !== undefined && isFinal(event.state)) return;
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      const isLost = error instanceof Failure ? error.code === 'server-unreachable' : error instanceof TypeError;
      if (!isLost) throw error;
    }
    if (options.signal?.aborted) return;
    if (!(await retry.pause(options.signal))) throw new Failure('connection-lost', `${connection.url} did not come back within a minute.`);
  }
}

const isFinal = (state: SessionEvent['state']): boolean => FINAL_STATES.some((final) => final === state);

async function* openStream(
  { url, token }: Connection,
  { session, after, signal }: { session?: string | undefined; after: string | undefined; signal?: AbortSignal },
): AsyncGenerator<SessionEvent> {
  const { path } = session === undefined ? streams.watchSessions : streams.watchSession;
  const over = new AbortController();
  const response = await reachingFetch(urlOf(url, path, session === undefined ? {} : { params: { session } }), {
    headers: {
      accept: 'text/event-stream',
      authorization: `Bearer ${token}`,
      ...(after === undefined ? {} : { 'last-event-id': after }),
    },
    signal: signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]),
  });
  if (!response.ok) {
    const problem = await problemOf(response);
    throw response.status === 503 ? new Failure('server-unreachable', problem.message, { cause: problem }) : problem;
  }
  if (response.body === null) return;
  const messages = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  try {
    // Cancelling a chain of streams whose source was aborted never ends: the request is aborted instead.
    for await (const { data } of messages.values({ preventCancel: true })) yield SessionEvent.parse(JSON.parse(data));
  } finally {
    over.abort();
  }
}
