import { problemOf, streams, urlOf } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { reachingFetch } from '../connection/reach.ts';
import { Failure } from '../failure.ts';
import { writeOut } from '../terminal/write-out.ts';

interface LogsOptions {
  readonly follow?: true;
  readonly tail?: string;
  readonly stream: string;
  readonly container: string;
}

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .option('-f, --follow', 'go on until it ends')
    .option('-n, --tail <lines>', 'only the last lines')
    .option('--stream <which>', 'stdout, stderr or both', 'both')
    .option('--container <name>', 'of a session of several: sub1, sub2, ...', 'main1')
    .action((session: string, options: LogsOptions) => run((context) => showLogs(session, options, context)));
};

export async function showLogs(session: string, options: LogsOptions, context: Context): Promise<number> {
  const checked = streams.sessionLogs.query.safeParse({ ...options, follow: String(options.follow ?? false) });
  if (!checked.success) {
    throw new Failure(
      'usage',
      `--tail takes a number of lines, --stream one of stdout, stderr, both (given: ${options.tail ?? '-'}, ${options.stream}).`,
    );
  }
  const { url, token } = await context.connect();
  const response = await reachingFetch(urlOf(url, streams.sessionLogs.path, { params: { session }, query: checked.data }), {
    headers: { authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw await problemOf(response);
  try {
    if (context.json) await asLines(response, context);
    else for await (const bytes of response.body ?? []) await writeOut(context.io.stdout, bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Failure('connection-lost', `the connection to ${url} was lost; read on with: berth session logs ${session}`, {
      cause: error,
    });
  }
  return 0;
}

/** One {"line": ...} per line: text of any kind inside JSON. */
async function asLines(response: Response, { io }: Context): Promise<void> {
  const { createInterface } = await import('node:readline');
  const { Readable } = await import('node:stream');
  if (response.body === null) return;
  for await (const line of createInterface({ input: Readable.fromWeb(response.body), crlfDelay: Infinity })) {
    await writeOut(io.stdout, Buffer.from(`${JSON.stringify({ line })}\n`));
  }
}
