import type { Define } from '../command.ts';
import { loadServer } from '../load-server.ts';

export const define: Define = (command, run) => {
  command.option('--config <file>', 'settings, YAML').action((options: { config?: string }) =>
    run(async () => {
      const { runServer } = await loadServer();
      return runServer(options);
    }),
  );
};
