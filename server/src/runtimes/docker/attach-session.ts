import { Duplex } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import type { Terminal } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { resized, terminalOf } from './terminal.ts';

/** The main process's own streams. Before the start too, so that no first byte is lost. */
export async function attachTo(engine: EngineClient, container: ContainerInspectInfo, options: { stdin: boolean }): Promise<Terminal> {
  const { Tty: tty, OpenStdin } = container.Config;
  const stdin = OpenStdin && options.stdin;
  const socket = await engine.open('engine.container-attach', (docker, abortSignal) =>
    dialAttach(docker.modem, { path: `/containers/${container.Id}/attach?stream=1&stdin=${stdin ? 1 : 0}&stdout=1&stderr=1`, abortSignal }),
  );
  const resize: Terminal['resize'] = (size) =>
    resized(() =>
      engine.call('engine.container-attach', (docker) => docker.getContainer(container.Id).resize({ h: size.rows, w: size.cols })),
    );
  return terminalOf({ socket, tty, resize, exitCode: async () => undefined });
}

interface Modem {
  dial(options: object, callback: (error: Error | null, answer: unknown) => void): void;
}

/** dockerode's own attach repeats the options as a body, and Podman hands a body to the process as its input. */
function dialAttach(modem: Modem, request: { path: string; abortSignal: AbortSignal }): Promise<Duplex> {
  const abandoned = new AbortController();
  const options = {
    path: request.path,
    abortSignal: AbortSignal.any([request.abortSignal, abandoned.signal]),
    method: 'POST',
    hijack: true,
    openStdin: true,
    isStream: true,
    file: Buffer.alloc(0),
    statusCodes: { 200: true },
  };
  return new Promise((resolve, reject) => {
    modem.dial(options, (error, socket) => {
      if (socket instanceof Duplex) return resolve(socket);
      reject(error ?? new Error('the engine did not switch protocols'));
      // A refused request still waits for its body: left alone, it would hold its connection for ever.
      abandoned.abort();
    });
  });
}
