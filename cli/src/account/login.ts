import { text } from 'node:stream/consumers';
import type { Context, Define } from '../command.ts';
import { connectionOf, signIn, signInProblem } from '../connection/connect.ts';
import { originOf } from '../connection/find-server.ts';
import { Failure } from '../failure.ts';

export const define: Define = (command, run) => {
  command
    .argument('[url]', 'server to sign in to; the same as --url')
    .addHelpText('after', '\nAsks for a token on a terminal; elsewhere it is read from stdin: berth login < token-file')
    .action((url: string | undefined) => run((context) => login(url, context)));
};

/** Whatever was stored before, a token is asked for: this is how another user signs in. */
export async function login(url: string | undefined, { io, findServer, givenToken, json }: Context): Promise<number> {
  const server = url === undefined ? await findServer() : { url: originOf(url) };
  const given = givenToken ?? (io.env['BERTH_TOKEN'] || (io.stdin.isTTY ? '' : (await text(io.stdin)).trim()));
  const connection = given === '' ? await signIn(server, io) : connectionOf(server.url, given);
  if (given !== '') {
    const problem = await signInProblem(connection, io);
    if (problem !== undefined) throw new Failure('not-signed-in', problem);
  }
  if (json) io.stdout.write(`${JSON.stringify({ url: connection.url, user: (await connection.client.getMe()).name })}\n`);
  return 0;
}
