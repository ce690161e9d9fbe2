import type { Duplex } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import type { Terminal } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { resized, terminalOf } from './terminal.ts';

/** The main process's own streams. Before the start too, so that no first byte is lost. */
export async function attachTo(engine: EngineClient, container: ContainerInspectInfo): Promise<Terminal> {
  const { Tty: tty, OpenStdin: stdin } = container.Config;
  // dockerode sends the options in the body as well, and Podman hands a body to the process as its input.
  const options = { hijack: true, stdin, _query: { stream: true, stdin, stdout: true, stderr: true }, _body: {} };
  const socket = await engine.open(
    'engine.container-attach',
    async (docker, abortSignal) => (await docker.getContainer(container.Id).attach({ ...options, abortSignal })) as Duplex,
  );
  const resize: Terminal['resize'] = (size) =>
    resized(() =>
      engine.call('engine.container-attach', (docker) => docker.getContainer(container.Id).resize({ h: size.rows, w: size.cols })),
    );
  return terminalOf({ socket, tty, resize, exitCode: async () => undefined });
}
