import type { SessionCommit } from '@berth/contract';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { presentCommit } from '../../domain/sessions/commit.ts';
import { check } from '../check.ts';
import { SessionWatch } from '../session-watch.ts';
import { withHeartbeat } from '../sse.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { begun } from './event-routes.ts';
import { canonical } from './parameters.ts';
import { Refusal } from './refusal.ts';
import type { SignedCaller } from './signature-check.ts';

/** Notifications may be missed: so often the row is looked at by itself. */
const POLL_MS = 2_000;

interface Told {
  readonly name: string;
  readonly data: object;
}

/** What goes on in the background here is the making of images; the id of such a task is the commit's. */
export function taskRoutes(surface: Surface): readonly Route[] {
  return [{ method: 'GET', path: '/events/background-task', handle: (call, caller) => follow(surface, call, caller) }];
}

async function follow(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { taskId } = check(z.object({ taskId: z.guid() }), canonical(call.parameters, { taskId: ['task_id'] }));
  const id = taskId.toLowerCase();
  const session = await surface.parts.sessions.withCommit(id);
  if (session?.ownerId !== caller.user.id)
    throw new Refusal('object-not-found', `you have no background task "${taskId}": it may be over and followed by another`, {
      title: 'No such background task.',
    });
  const told = tell(surface, { sessionId: session.id, id }, call.open());
  const text = withHeartbeat(told, ({ name, data }) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  return { status: 200, stream: Readable.from(begun(text), { objectMode: false }) };
}

/** Each change, then how it ended, then that nothing follows. Who is cut off before that may come again. */
async function* tell({ parts }: Surface, task: { sessionId: string; id: string }, signal: AbortSignal): AsyncGenerator<Told> {
  const watch = new SessionWatch(parts, task.sessionId);
  try {
    for (let message: string | undefined; !signal.aborted;) {
      const commit = presentCommit(await watch.read(signal));
      if (commit?.id !== task.id) break;
      if (commit.state !== 'working') {
        yield* named(commit.state, commit);
        break;
      }
      if (commit.message !== message) yield* named('updated', commit);
      ({ message } = commit);
      await watch.wait(POLL_MS, signal);
    }
    if (!signal.aborted) yield { name: 'server_close', data: {} };
  } finally {
    watch.close();
  }
}

/** The documentation has one spelling, clients look for the other. */
function named(word: 'updated' | 'done' | 'failed', { id, message }: SessionCommit): readonly Told[] {
  const data = { task_id: id, message, current_progress: Number(word === 'done'), total_progress: 1 };
  return ['bgtask', 'task'].map((spelling) => ({ name: `${spelling}_${word}`, data }));
}
