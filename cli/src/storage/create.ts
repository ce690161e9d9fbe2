import { randomUUID } from 'node:crypto';
import type { Context, Define } from '../command.ts';
import { patiently } from '../connection/patiently.ts';
import { printItem } from '../output/print-items.ts';

interface CreateOptions {
  readonly project?: string;
}

export const define: Define = (command, run) => {
  command
    .argument('<name>', '4 to 64 of a-z, 0-9 and -, beginning with a letter')
    .option('--project <project>', 'name or id; without it your own')
    .addHelpText(
      'after',
      '\nA folder that several sessions have, one after another or at once:\n  berth storage create data\n  berth session create --mount data',
    )
    .action((name: string, options: CreateOptions) => run((context) => createStorage(name, options, context)));
};

export async function createStorage(name: string, options: CreateOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  const body = { name, ...options, clientToken: randomUUID() };
  const storage = await patiently(() => client.createStorage({ body }));
  printItem(context, storage, `Made storage ${storage.name}. A session has it in /work/${storage.name} with: --mount ${storage.name}`);
  return 0;
}
