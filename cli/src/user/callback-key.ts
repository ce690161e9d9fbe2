import type { Context, Define } from '../command.ts';

export const define: Define = (command, run) => {
  command
    .addHelpText(
      'after',
      '\nTo store it where a receiver can read it, and nobody else:\n  (umask 077; berth user callback-key > callback-key)\nHow to check a signature with it: docs/callbacks.md',
    )
    .action(() => run(showCallbackKey));
};

export async function showCallbackKey({ io, json, connect }: Context): Promise<number> {
  const { client } = await connect();
  const answer = await client.getCallbackKey();
  io.stdout.write(`${json ? JSON.stringify(answer) : answer.key}\n`);
  return 0;
}
