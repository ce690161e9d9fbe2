import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';
import { plainText } from '../output/plain-text.ts';
import { age } from '../output/words.ts';

export const define: Define = (command, run) => {
  command
    .argument('<storage>', 'name or id')
    .addHelpText('after', '\nWhich sessions use it:\n  berth storage show data')
    .action((storage: string) => run((context) => showStorage(storage, context)));
};

export async function showStorage(text: string, context: Context): Promise<number> {
  const { client } = await context.connect();
  const storage = await client.getStorage({ params: { storage: text } });
  const facts: [string, string][] = [
    ['Id', storage.id],
    ['Name', storage.name],
    ['Owner', `${storage.owner.name} (project ${storage.project.name})`],
    ['State', storage.reason === '' ? storage.state : `${storage.state}: ${storage.reason}`],
    ['Mounted by', storage.mountedBy.map(({ name }) => name).join(', ') || 'no live session'],
    ['Created', `${storage.createdAt} (${age(storage.createdAt, context.io.now())} ago)`],
  ];
  const width = Math.max(...facts.map(([title]) => title.length));
  printItem(context, storage, facts.map(([title, value]) => `${title.padEnd(width)}  ${plainText(value)}`).join('\n'));
  return 0;
}
