import { ProblemError, type Storage } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { backoff } from '../connection/backoff.ts';
import type { Connection } from '../connection/connect.ts';
import { patiently } from '../connection/patiently.ts';
import { Failure } from '../failure.ts';
import { printItem } from '../output/print-items.ts';

interface DeleteOptions {
  readonly wait: boolean;
}

export const define: Define = (command, run) => {
  command
    .argument('<storage>', 'name or id')
    .option('--no-wait', 'only ask for it')
    .addHelpText('after', '\nAll that is in it is gone for good:\n  berth storage delete data')
    .action((storage: string, options: DeleteOptions) => run((context) => deleteStorage(storage, options, context)));
};

export async function deleteStorage(text: string, { wait }: DeleteOptions, context: Context): Promise<number> {
  const connection = await context.connect();
  const storage = await connection.client.deleteStorage({ params: { storage: text } });
  if (wait) await untilGone(connection, storage);
  const { name } = storage;
  printItem(context, storage, wait ? `Deleted storage ${name}: all that was in it is gone.` : `Storage ${name} is being deleted.`);
  return 0;
}

async function untilGone({ client }: Connection, { id, name }: Storage): Promise<void> {
  const retry = backoff();
  for (;;) {
    const left = await patiently(() => client.getStorage({ params: { storage: id } })).catch(undefinedIfGone);
    if (left === undefined) return;
    if (await retry.pause()) continue;
    const why = left.reason === '' ? 'the engine takes its time' : left.reason;
    throw new Failure('timed-out', `${name} is still being deleted after a minute: ${why}. It goes on by itself: see berth storage list.`);
  }
}

function undefinedIfGone(error: unknown): undefined {
  if (error instanceof ProblemError && error.code === 'not-found') return undefined;
  throw error;
}
