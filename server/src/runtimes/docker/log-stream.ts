import type { Readable } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import type { LogChunk, LogOptions } from '../runtime.ts';
import { demultiplex } from './demultiplex.ts';
import type { EngineClient } from './engine-client.ts';
import { engineError } from './errors.ts';

/** What a container printed, from the engine's own file. */
export async function* logsOf(engine: EngineClient, container: ContainerInspectInfo, options: LogOptions): AsyncGenerator<LogChunk> {
  try {
    yield* demultiplex(await open(engine, container, options), container.Config.Tty);
  } catch (error) {
    if (!options.signal.aborted) throw engineError(error, engine.address);
  }
}

/**
 * The same as it grows, from Podman: soon after a process has ended it tells its reader of the log to stop, which then drops lines
 * here and there. So what it follows counts only where the process still runs afterwards; the rest comes from the whole log.
 */
export async function* podmanLog(engine: EngineClient, container: ContainerInspectInfo, signal: AbortSignal): AsyncGenerator<LogChunk> {
  const given = { stdout: 0, stderr: 0 };
  try {
    const source = whileItRuns(engine, container, await open(engine, container, { follow: true, signal }));
    for await (const chunk of demultiplex(source, container.Config.Tty)) {
      given[chunk.stream] += chunk.data.length;
      yield chunk;
    }
  } catch (error) {
    if (!signal.aborted) throw engineError(error, engine.address);
  }
  for await (const { stream, data } of logsOf(engine, container, { follow: false, signal })) {
    const rest = data.subarray(given[stream]);
    given[stream] -= data.length - rest.length;
    if (rest.length > 0) yield { stream, data: rest };
  }
}

/** dockerode streams only what is followed, and reads the rest into memory, as JSON if it happens to be some. */
const open = (engine: EngineClient, { Id }: ContainerInspectInfo, { follow, signal }: LogOptions): Promise<Readable> =>
  engine.open(
    'engine.container-logs',
    async (docker, abortSignal) => {
      const streamed = { follow: true as const, abortSignal, _query: { follow, stdout: true, stderr: true, tail: 'all' } };
      return (await docker.getContainer(Id).logs(streamed)) as Readable;
    },
    { signal },
  );

/** Frozen or stopping it has its number still; another one may have been started in its place. */
async function* whileItRuns(engine: EngineClient, { Id, State }: ContainerInspectInfo, source: Readable): AsyncGenerator {
  for await (const piece of source) {
    const { State: now } = await engine.call('engine.container-inspect', (docker) => docker.getContainer(Id).inspect());
    if (now.Pid === 0 || now.StartedAt !== State.StartedAt) return;
    yield piece;
  }
}
