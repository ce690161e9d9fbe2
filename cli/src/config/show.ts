import type { Context, Define } from '../command.ts';
import { Failure } from '../failure.ts';
import { printTable } from '../output/table.ts';
import { loadServer } from '../load-server.ts';

export const define: Define = (command, run) => {
  command
    .option('--config <file>', 'settings of the server, YAML')
    .action((options: { config?: string }) => run((context) => showConfig(options, context)));
};

export async function showConfig(options: { config?: string }, { io, json }: Context): Promise<number> {
  const server = await loadServer();
  const shown = readable(() => server.showConfig(options));
  if (json) io.stdout.write(`${JSON.stringify({ items: shown.map((item) => ({ ...item, value: item.value ?? null })), next: null })}\n`);
  else
    printTable(
      ['SETTING', 'VALUE', 'FROM'],
      shown.map(({ name, value, source }) => [name, inWords(value), source]),
      io.stdout,
    );
  return 0;
}

function inWords(value: unknown): string {
  if (value === undefined || value === '') return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function readable<T>(load: () => T): T {
  try {
    return load();
  } catch (error) {
    if (error instanceof Error && error.name === 'ConfigError') throw new Failure('usage', error.message, { cause: error });
    throw error;
  }
}
