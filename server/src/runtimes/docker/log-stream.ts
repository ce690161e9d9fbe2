import type { Readable } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import type { LogChunk, LogOptions } from '../runtime.ts';
import { demultiplex } from './demultiplex.ts';
import type { EngineClient } from './engine-client.ts';
import { engineError } from './errors.ts';

/** What a container printed, from the engine's own file. */
export async function* logsOf(engine: EngineClient, container: ContainerInspectInfo, options: LogOptions): AsyncGenerator<LogChunk> {
  const query = { follow: options.follow, stdout: true, stderr: true, tail: options.tailLines ?? 'all' };
  try {
    // dockerode streams only what is followed, and reads the rest into memory, as JSON if it happens to be some.
    const source = await engine.open(
      'engine.container-logs',
      async (docker, abortSignal) => {
        const streamed = { follow: true as const, abortSignal, _query: query };
        return (await docker.getContainer(container.Id).logs(streamed)) as Readable;
      },
      { signal: options.signal },
    );
    yield* demultiplex(source, container.Config.Tty);
  } catch (error) {
    if (!options.signal.aborted) throw engineError(error, engine.address);
  }
}
