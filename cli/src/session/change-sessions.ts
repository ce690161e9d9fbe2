import type { Session } from '@berth/contract';
import type { Context } from '../command.ts';
import type { Connection } from '../connection/connect.ts';
import { EXIT } from '../failure.ts';
import { printItems } from '../output/print-items.ts';
import { causeWords } from '../output/words.ts';
import { reportFailure } from '../report-failure.ts';
import { sessionColumns } from './session-columns.ts';
import { meets, until, type Condition } from './until.ts';

interface Change {
  readonly sessions: readonly string[];
  /** Says what is wanted. */
  readonly ask: (connection: Connection, session: string) => Promise<Session>;
  readonly condition: Condition;
  /** Where the condition already holds when it is asked for: how to tell that it holds anew. */
  readonly isServed?: (now: Session, asked: Session) => boolean;
  readonly wait: boolean;
}

/** Asks for the same of several sessions, waits until it is so and shows them; one that fails does not hold up the others. */
export async function changeSessions({ sessions, ask, condition, isServed, wait }: Change, context: Context): Promise<number> {
  const connection = await context.connect();
  const results = await Promise.allSettled(
    sessions.map(async (name) => {
      const asked = await ask(connection, name);
      return wait ? until(connection, asked, { condition, ...(isServed ? { isServed } : {}) }) : asked;
    }),
  );
  const items = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (items.length > 0) {
    printItems(context, { items, next: null }, { columns: sessionColumns(items, context.io.now()), none: '' });
  }
  let code: number = EXIT.ok;
  for (const result of results) {
    if (result.status === 'rejected') code = await reportFailure(result.reason, context.io, context.json);
    else if (wait && !meets(result.value, condition)) code = missed(result.value, context);
  }
  return code;
}

function missed(session: Session, { io, json }: Context): number {
  if (!json)
    io.stderr.write(`Error: session ${session.name} ended instead: ${session.cause ? causeWords(session.cause) : session.reason}\n`);
  return EXIT.failure;
}
