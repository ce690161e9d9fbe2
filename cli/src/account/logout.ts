import type { Context, Define } from '../command.ts';
import { readConfig, writeConfig } from '../connection/config-file.ts';

export const define: Define = (command, run) => {
  command.action(() => run(logout));
};

export async function logout({ io, findServer, json }: Context): Promise<number> {
  const { url } = await findServer();
  const { current, servers } = await readConfig(io.env);
  const { [url]: known, ...others } = servers;
  if (known !== undefined) await writeConfig(io.env, { ...(current === undefined || current === url ? {} : { current }), servers: others });
  if (json) io.stdout.write(`${JSON.stringify({ url, forgotten: known !== undefined })}\n`);
  else if (known === undefined) io.stderr.write(`No token was stored for ${url}.\n`);
  else io.stderr.write(`The token for ${url} is forgotten here. It is still valid: make it worthless with berth token revoke.\n`);
  return 0;
}
