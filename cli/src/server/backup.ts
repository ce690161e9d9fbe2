import type { Define } from '../command.ts';
import { loadServer } from '../load-server.ts';

export const define: Define = (command, run) => {
  command
    .argument('<file>', 'to be written')
    .option('--config <file>', 'settings of the server, YAML')
    .action((file: string, options: { config?: string }) =>
      run(async ({ json }) => {
        const { runBackup } = await loadServer();
        return runBackup({ ...options, file, json });
      }),
    );
};
