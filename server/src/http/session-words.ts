import type { ControlFromServer } from '@berth/contract';
import type { Session } from '../domain/sessions/session.ts';

/** What a waiting person is told: the queue's reason and her place in it, else how far the step under way is. */
export function statusOf(session: Session): ControlFromServer & { type: 'status' } {
  return { type: 'status', state: session.state, message: waitingWords(session) ?? stepDetail(session) ?? session.reason };
}

function waitingWords({ state, waiting }: Session): string | undefined {
  if (state !== 'pending' || waiting === null) return undefined;
  const reasons = [...new Set([...(waiting.holds ?? []), ...waiting.reasons].map(({ reason }) => reason))].join('; ');
  return `${reasons === '' ? 'waiting' : reasons} (number ${waiting.position} of ${waiting.of} in the queue)`;
}

function stepDetail({ timeline }: Session): string | undefined {
  const step = timeline.at(-1);
  return step?.endedAt === null ? (step.detail ?? undefined) : undefined;
}

const CODES: Readonly<Record<string, number>> = {
  'command-not-found': 127,
  'not-executable': 126,
  'no-shell': 127,
  'out-of-memory': 137,
  'timed-out': 124,
};
export const exitCodeOfCause = (code: string): number => CODES[code] ?? 1;

/** How a session ended. Without an exit code of its process the cause gives one, as a shell would. */
export function exitOf(session: Session): ControlFromServer & { type: 'exit' } {
  const { ending, reason, state } = session;
  const cause = ending?.cause ?? null;
  const code = ending?.exitCode ?? (cause === null ? Number(state !== 'terminated') : exitCodeOfCause(cause.code));
  return { type: 'exit', code, message: reason, cause };
}
