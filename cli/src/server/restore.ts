import type { Define } from '../command.ts';
import { loadServer } from '../load-server.ts';

export const define: Define = (command, run) => {
  command
    .argument('<file>', 'written by berth backup')
    .option('--replace', 'instead of what is there')
    .option('--config <file>', 'settings of the server, YAML')
    .action((file: string, options: { config?: string; replace?: true }) =>
      run(async ({ json }) => {
        const { runRestore } = await loadServer();
        return runRestore({ ...options, replace: options.replace === true, file, json });
      }),
    );
};
