import type { Session } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import type { Connection } from '../connection/connect.ts';
import { changeSessions } from './change-sessions.ts';

export const define: Define = (command, run) => {
  command
    .argument('<session...>', 'ids, beginnings of ids, or names')
    .option('--no-wait', 'only ask for it')
    .action((sessions: string[], { wait }: { wait: boolean }) => run((context) => restartSessions(sessions, wait, context)));
};

export function restartSessions(sessions: readonly string[], wait: boolean, context: Context): Promise<number> {
  const ask = ({ client }: Connection, session: string): Promise<Session> => client.restartSession({ params: { session }, body: {} });
  const isServed = (now: Session, asked: Session): boolean => now.restarts > asked.restarts || now.generation > asked.generation;
  return changeSessions({ sessions, ask, condition: 'running', isServed, wait }, context);
}
