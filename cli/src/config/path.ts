import type { Context, Define } from '../command.ts';
import { configPath } from '../connection/config-file.ts';

export const define: Define = (command, run) => {
  command.action(() => run(showPath));
};

export async function showPath({ io, json }: Context): Promise<number> {
  const path = configPath(io.env);
  io.stdout.write(`${json ? JSON.stringify({ path }) : path}\n`);
  return 0;
}
