import type { Define } from '../command.ts';

export const define: Define = (command, run) => {
  command
    .argument('<file>', 'to be written')
    .option('--config <file>', 'settings of the server, YAML')
    .action((file: string, options: { config?: string }) =>
      run(async () => {
        const { runBackup } = await import('@berth/server/main');
        return runBackup({ ...options, file });
      }),
    );
};
