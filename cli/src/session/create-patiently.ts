import type { CreateSessionInput, Session } from '@berth/contract';
import { backoff } from '../connection/backoff.ts';
import type { Connection } from '../connection/connect.ts';
import { Failure } from '../failure.ts';

const ASK_AGAIN_FOR_MS = 20_000;

/**
 * Asks for the session until there is an answer. Its client token makes asking again safe: the first request may have
 * arrived although its answer did not. A server that was never there is not waited for.
 */
export async function createPatiently({ client }: Connection, body: CreateSessionInput): Promise<Session> {
  const retry = backoff(ASK_AGAIN_FOR_MS);
  for (;;) {
    try {
      return await client.createSession({ body });
    } catch (error) {
      if (!isAnswerLost(error) || !(await retry.pause())) throw error;
    }
  }
}

const LOST = new Set(['ECONNRESET', 'UND_ERR_SOCKET', 'EPIPE', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);
let wasThere = false;

/** Once the connection broke under way, a refused one means that the server restarts. */
function isAnswerLost(error: unknown): boolean {
  if (!(error instanceof Failure) || error.code !== 'server-unreachable') return false;
  wasThere ||= codes(error).some((code) => LOST.has(code));
  return wasThere;
}

function codes(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return ['code' in error ? String(error.code) : '', ...codes(error.cause)];
}
