import { randomUUID } from 'node:crypto';
import type { CreateSessionInput, Session } from '@berth/contract';
import type { Keeper } from './keeper.ts';

/** A tag of its own for the image of the tests: the built-in one's is taken away in between. */
export const FAULT_IMAGE = 'docker://fault/base:1';

export const asked = (more: Partial<CreateSessionInput> = {}): CreateSessionInput => ({
  clientToken: randomUUID(),
  image: FAULT_IMAGE,
  pull: 'never',
  command: ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.2; done'],
  ...more,
});

export const isRunning = (session: Session): boolean => session.state === 'running';
export const hasEnded = (session: Session): boolean => ['terminated', 'cancelled', 'error'].includes(session.state);

/** One session: repeated until it is acknowledged, it stays one. */
export function create(keeper: Keeper, more: Partial<CreateSessionInput> = {}): Promise<Session> {
  const body = asked(more);
  return keeper.ask((client) => client.createSession({ body }));
}

/** One session through all it can do; every request is repeated until it was acknowledged, and has to come true. */
export async function live(keeper: Keeper, more: Partial<CreateSessionInput> = {}): Promise<Session> {
  const { id } = await create(keeper, more);
  const params = { session: id };
  await keeper.until(id, 'running', isRunning);
  await keeper.ask((client) => client.pauseSession({ params, body: {} }));
  await keeper.until(id, 'paused', ({ state }) => state === 'paused');
  await keeper.ask((client) => client.resumeSession({ params, body: {} }));
  await keeper.until(id, 'running again', isRunning);
  await keeper.ask((client) => client.restartSession({ params, body: {} }));
  await keeper.until(id, 'restarted', (session) => isRunning(session) && session.restarts > 0);
  await keeper.ask((client) => client.terminateSession({ params, body: {} }));
  return keeper.until(id, 'ended', hasEnded);
}
