import type { Context, Define } from '../command.ts';
import { Failure } from '../failure.ts';

export const define: Define = (command, run) => {
  command
    .argument('[name]', 'what it is for')
    .option('--user <user>', 'for another user (administrators)')
    .addHelpText(
      'after',
      '\nThe secret key is shown this once. To store both keys:\n  (umask 077; berth keypair create nightly --json > keypair.json)',
    )
    .action((name: string | undefined, { user }: { user?: string }) => run((context) => createKeypair(name, user, context)));
};

export async function createKeypair(name: string | undefined, user: string | undefined, context: Context): Promise<number> {
  const { io, json, quiet } = context;
  if (quiet) throw new Failure('usage', '--quiet would lose the secret key, which is shown once: leave it out, or use --json.');
  const { client } = await context.connect();
  const keypair = await client.createKeypair({
    body: { ...(name === undefined ? {} : { name }), ...(user === undefined ? {} : { user }) },
  });
  if (json) {
    io.stdout.write(`${JSON.stringify(keypair)}\n`);
    return 0;
  }
  io.stdout.write(`Access key  ${keypair.accessKey}\nSecret key  ${keypair.secretKey}\n`);
  io.stderr.write(
    `This is the only time the secret key is shown. Who has both keys acts as ${keypair.user}, until: berth keypair revoke ${keypair.accessKey}\n`,
  );
  return 0;
}
