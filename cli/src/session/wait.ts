import { parseDuration } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { Failure } from '../failure.ts';
import { printItem } from '../output/print-items.ts';
import { causeWords, shortId, stateWords } from '../output/words.ts';
import { endCode, hasEnded } from './end-code.ts';
import { meets, until, type Condition } from './until.ts';

interface WaitOptions {
  readonly for: string;
  readonly timeout?: string;
}

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .option('--for <state>', 'running, paused or ended', 'ended')
    .option('--timeout <duration>', 'no longer than this: 5m')
    .action((session: string, options: WaitOptions) => run((context) => waitForSession(session, options, context)));
};

/** The session's exit code once it has ended; 124 when the time is up. */
export async function waitForSession(name: string, options: WaitOptions, context: Context): Promise<number> {
  const condition = conditionOf(options.for);
  const signal = deadline(options.timeout);
  const connection = await context.connect();
  const session = await connection.client.getSession({ params: { session: name } });
  const now = await until(connection, session, { condition, ...(signal ? { signal } : {}) });
  if (!meets(now, condition) && !hasEnded(now)) {
    throw new Failure('timed-out', `session ${shortId(now.id)} is not ${options.for} after ${options.timeout}: ${stateWords(now)}.`);
  }
  printItem(context, now, `${now.name}: ${stateWords(now)}`);
  if (condition === 'ended') return endCode(now);
  if (meets(now, condition)) return 0;
  throw new Failure('failed', `session ${shortId(now.id)} ended instead: ${now.cause ? causeWords(now.cause) : now.reason}`);
}

function conditionOf(text: string): Condition {
  if (text === 'running' || text === 'paused' || text === 'ended') return text;
  throw new Failure('usage', `--for "${text}": wait for running, paused or ended.`);
}

function deadline(text: string | undefined): AbortSignal | undefined {
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new Failure('usage', `--timeout: ${parsed.message}`);
  return AbortSignal.timeout(parsed.value);
}
