import { parseDuration } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { Failure } from '../failure.ts';

interface CreateOptions {
  readonly expires?: string;
  readonly user?: string;
}

export const define: Define = (command, run) => {
  command
    .argument('<name>', 'what it is for')
    .option('--expires <duration>', 'worthless after this time: 90d; without it, it does not expire')
    .option('--user <user>', 'for another user (administrators)')
    .action((name: string, options: CreateOptions) => run((context) => createToken(name, options, context)));
};

export async function createToken(name: string, { expires, user }: CreateOptions, context: Context): Promise<number> {
  const { io, json, quiet } = context;
  const duration = expires === undefined ? undefined : parseDuration(expires);
  if (duration?.ok === false) throw new Failure('usage', `--expires: ${duration.message}`);
  const { client, url } = await context.connect();
  const body = { name, ...(user === undefined ? {} : { user }), ...(expires === undefined ? {} : { expiresIn: expires }) };
  const token = await client.createToken({ body });
  io.stdout.write(`${json ? JSON.stringify(token) : quiet ? token.id : token.secret}\n`);
  if (!json && !quiet) {
    const end = token.expiresAt === null ? 'does not expire' : `expires ${token.expiresAt}`;
    io.stderr.write(`This is the only time it is shown; it ${end}. Use it with: berth login --url ${url}, or BERTH_TOKEN.\n`);
  }
  return 0;
}
