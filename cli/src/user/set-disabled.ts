import type { Context } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export async function setDisabled(name: string, disabled: boolean, context: Context): Promise<number> {
  const { client } = await context.connect();
  const user = await client.changeUser({ params: { user: name }, body: { disabled } });
  printItem(context, user, `${user.name} is ${user.disabled ? 'disabled: signed out everywhere' : 'enabled'}.`);
  return 0;
}
