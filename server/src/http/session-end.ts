import { isFinal } from '../domain/sessions/lifecycle.ts';
import type { Notifications, SessionStore } from '../domain/sessions/session-store.ts';
import { SessionWatch } from './session-watch.ts';

const POLL_MS = 2_000;

/** Returns as soon as the session ends or is wanted to, or the signal fires. */
export async function sessionEnd(
  parts: { sessions: SessionStore; notifications: Notifications },
  id: string,
  signal: AbortSignal,
): Promise<void> {
  const watch = new SessionWatch(parts, id);
  try {
    while (!signal.aborted) {
      const { state, wanted } = await watch.read(signal);
      if (isFinal(state) || wanted === 'terminated') return;
      await watch.wait(POLL_MS, signal);
    }
  } finally {
    watch.close();
  }
}
