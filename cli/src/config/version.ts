import type { Context, Define } from '../command.ts';
import packageJson from '../../package.json' with { type: 'json' };

export const define: Define = (command, run) => {
  command.action(() => run(showVersions));
};

/** The server's only if it answers: this command needs none. */
export async function showVersions({ io, json, quiet, findServer }: Context): Promise<number> {
  const { version } = packageJson;
  if (quiet) {
    io.stdout.write(`${version}\n`);
    return 0;
  }
  const { url } = await findServer();
  const server = await serverVersion(url);
  if (json) io.stdout.write(`${JSON.stringify({ version, node: process.version, url, server })}\n`);
  else io.stdout.write(`berth ${version} (Node ${process.version})\nserver ${server ?? 'does not answer'} at ${url}\n`);
  return 0;
}

async function serverVersion(url: string): Promise<string | null> {
  const { createClient } = await import('@berth/contract');
  try {
    const client = createClient({ url, fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(2_000) }) });
    return (await client.getVersion()).version;
  } catch {
    // Not there, or something else answers: in both cases there is no version to show.
    return null;
  }
}
