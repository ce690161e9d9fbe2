import type { Session } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import type { Connection } from '../connection/connect.ts';
import { Failure } from '../failure.ts';
import { changeSessions } from './change-sessions.ts';

interface StopOptions {
  readonly all?: true;
  readonly wait: boolean;
}

export const define: Define = (command, run) => {
  command
    .argument('[session...]', 'ids, beginnings of ids, or names')
    .option('--all', 'all of yours')
    .option('--no-wait', 'only ask for it')
    .action((sessions: string[], options: StopOptions) => run((context) => stopSessions(sessions, options, context)));
};

export async function stopSessions(names: readonly string[], { all, wait }: StopOptions, context: Context): Promise<number> {
  if (all ? names.length > 0 : names.length === 0) throw new Failure('usage', 'name the sessions to stop, or say --all: one of the two.');
  const sessions = all ? await allOfMine(await context.connect()) : names;
  if (sessions.length === 0) {
    if (context.json) context.io.stdout.write('{"items":[],"next":null}\n');
    else context.io.stderr.write('None of your sessions is live.\n');
    return 0;
  }
  const ask = ({ client }: Connection, session: string): Promise<Session> => client.terminateSession({ params: { session }, body: {} });
  return changeSessions({ sessions, ask, condition: 'ended', wait }, context);
}

async function allOfMine({ client }: Connection): Promise<string[]> {
  const { name: owner } = await client.getMe();
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.listSessions({ query: { owner, limit: 200, cursor } });
    ids.push(...page.items.map(({ id }) => id));
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return ids;
}
