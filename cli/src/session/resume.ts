import type { Define } from '../command.ts';
import { changeSessions } from './change-sessions.ts';

export const define: Define = (command, run) => {
  command
    .argument('<session...>', 'ids, beginnings of ids, or names')
    .option('--no-wait', 'only ask for it')
    .action((sessions: string[], { wait }: { wait: boolean }) =>
      run((context) => {
        const ask: Parameters<typeof changeSessions>[0]['ask'] = ({ client }, session) =>
          client.resumeSession({ params: { session }, body: {} });
        return changeSessions({ sessions, ask, condition: 'running', wait }, context);
      }),
    );
};
