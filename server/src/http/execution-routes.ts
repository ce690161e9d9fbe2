import { runStepOf } from '../domain/execution/run-step.ts';
import type { Session } from '../domain/sessions/session.ts';
import { audit, type Caller } from './caller.ts';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';
import { findSession, present } from './session-access.ts';

/** Output is told this soon after it was printed, so that who looks on sees it grow. */
const FLUSH_MS = 300;

/** Code in sessions: its owner's alone. */
export function executionHandlers(parts: HttpParts): Pick<Handlers, 'runInSession' | 'interruptSession' | 'completeInSession'> {
  const { sessions, executor, uses, now, newId } = parts;
  const own = (caller: Caller, text: string): Promise<Session> => findSession(sessions, caller, { text, access: 'content' });
  return {
    runInSession: async ({ params, body }, caller, open) => {
      const { options: batch, timeout: timeoutMs = null, waitMs, ...asked } = body;
      const step = runStepOf({ ...asked, batch, timeoutMs }, newId);
      const session = await own(caller, params.session);
      if (step.mode === 'query' || step.mode === 'batch') audit(caller, 'session.run', session);
      uses.executed(session.id, now());
      const { console, ...run } = await executor.run(session, step, { waitMs, flushMs: FLUSH_MS, signal: open() });
      return { ...run, console: [...console] };
    },
    interruptSession: async ({ params, body: { runId } }, caller) => {
      const session = await own(caller, params.session);
      audit(caller, 'session.interrupt', session);
      await executor.interrupt(session, runId);
      return present(session, caller);
    },
    completeInSession: async ({ params, body: { line } }, caller) => {
      const session = await own(caller, params.session);
      uses.count(session.id);
      return { completions: [...(await executor.complete(session, line))] };
    },
  };
}
