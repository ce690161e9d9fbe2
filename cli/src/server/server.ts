import type { Define } from '../command.ts';

export const define: Define = (command, run) => {
  command.option('--config <file>', 'settings, YAML').action((options: { config?: string }) =>
    run(async () => {
      const { runServer } = await import('@berth/server/main');
      return runServer(options);
    }),
  );
};
