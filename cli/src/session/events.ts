import type { SessionEvent } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { watchEvents } from '../connection/watch-events.ts';
import { plainText } from '../output/plain-text.ts';
import { shortId } from '../output/words.ts';
import { writeOut } from '../terminal/write-out.ts';

interface EventsOptions {
  readonly follow?: true;
  readonly after?: string;
}

export const define: Define = (command, run) => {
  command
    .argument('[session]', 'id, beginning of an id, or name; without it all of yours, as it happens')
    .option('-f, --follow', 'go on until it ends')
    .option('--after <event>', 'go on after this event')
    .action((session: string | undefined, options: EventsOptions) => run((context) => showEvents(session, options, context)));
};

export async function showEvents(name: string | undefined, { follow, after }: EventsOptions, context: Context): Promise<number> {
  const connection = await context.connect();
  const session = name === undefined ? undefined : (await connection.client.getSession({ params: { session: name } })).id;
  const quietFor = new AbortController();
  const options = { ...(session ? { session } : {}), ...(after ? { after } : {}), signal: quietFor.signal };
  // The stream tells the past at once and then waits: without --follow, silence is the end of the past.
  const endsAfterPast = session !== undefined && follow !== true;
  let silence: NodeJS.Timeout | undefined;
  for await (const event of watchEvents(connection, options)) {
    if (endsAfterPast) silence = silence?.refresh() ?? setTimeout(() => quietFor.abort(), SILENCE_MS);
    const line = context.json ? JSON.stringify(event) : context.quiet ? event.id : lineOf(event, session === undefined);
    await writeOut(context.io.stdout, Buffer.from(`${line}\n`));
  }
  clearTimeout(silence);
  return 0;
}

const SILENCE_MS = 500;

function lineOf({ at, kind, state, sessionId, message }: SessionEvent, isMany: boolean): string {
  return `${at}  ${isMany ? `${shortId(sessionId)}  ` : ''}${kind.padEnd(9)}  ${state.padEnd(11)}  ${plainText(message)}`;
}
