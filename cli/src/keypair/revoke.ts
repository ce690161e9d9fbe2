import type { Context, Define } from '../command.ts';
import { printItem } from '../output/print-items.ts';

export const define: Define = (command, run) => {
  command
    .argument('<keypair>', 'its access key or id, see berth keypair list')
    .addHelpText('after', '\nA secret key has leaked:\n  berth keypair revoke AKIAIOSFODNN7EXAMPLE')
    .action((keypair: string) => run((context) => revokeKeypair(keypair, context)));
};

export async function revokeKeypair(idOrAccessKey: string, context: Context): Promise<number> {
  const { client } = await context.connect();
  const keypair = await client.revokeKeypair({ params: { keypair: idOrAccessKey } });
  printItem(context, keypair, `Revoked key pair ${keypair.accessKey} of ${keypair.user}. What it started goes on: see berth session list.`);
  return 0;
}
