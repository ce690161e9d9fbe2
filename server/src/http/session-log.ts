import { gunzipSync } from 'node:zlib';
import { containerOf } from '../domain/sessions/container-plan.ts';
import { decodeChunks, type KeptChunk } from '../domain/sessions/kept-log.ts';
import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { SessionStore } from '../domain/sessions/session-store.ts';
import { RuntimeError, type Runtime } from '../runtimes/runtime.ts';

export interface LogParts {
  readonly sessions: SessionStore;
  readonly runtime: Runtime;
}

/** One container of a session. */
export interface LogOf {
  readonly session: Session;
  readonly container: string;
}

/** All that is there now: from the container while it exists, else what was kept of it. Nothing, for a session that has not started. */
export async function readLog(parts: LogParts, of: LogOf, signal: AbortSignal): Promise<readonly KeptChunk[]> {
  const { session, container } = of;
  if (isFinal(session.state) || session.logsKept) return keptLog(parts.sessions, of);
  const ref = containerOf(session, container);
  try {
    const { phase } = await parts.runtime.inspect(ref);
    if (phase === 'absent' || phase === 'created') return await keptLog(parts.sessions, of);
    const chunks = [...(await earlierLog(parts, of))];
    for await (const chunk of parts.runtime.logs(ref, { follow: false, signal })) chunks.push(chunk);
    return chunks;
  } catch (error) {
    // Removed between the two looks: by then its log is kept.
    const gone = error instanceof RuntimeError && error.kind !== 'unreachable' && (await parts.runtime.inspect(ref)).phase === 'absent';
    if (gone) return keptLog(parts.sessions, of);
    throw error;
  }
}

/** Of the containers before the present one, where the runtime starts none twice. */
export const earlierLog = async (parts: LogParts, { session: { id, generation }, container }: LogOf): Promise<readonly KeptChunk[]> =>
  generation > 1 ? decoded(await parts.sessions.logs({ sessionId: id, container }, generation)) : [];

export const keptLog = async (sessions: SessionStore, { session: { id }, container }: LogOf): Promise<readonly KeptChunk[]> =>
  decoded(await sessions.logs({ sessionId: id, container }));

const decoded = (logs: readonly Buffer[]): readonly KeptChunk[] =>
  logs.flatMap((log) => [...decodeChunks(isCompressed(log) ? gunzipSync(log) : log)]);

const isCompressed = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
