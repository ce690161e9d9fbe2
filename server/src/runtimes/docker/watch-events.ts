import type { Readable } from 'node:stream';
import { RuntimeError, type ContainerRef } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { engineError } from './errors.ts';
import { lines } from '../lines.ts';
import { LABEL } from './names.ts';
import { refOf } from '../container-labels.ts';

/** What may make a container other than the table says; making and starting it is our own doing. Docker's words and Podman's. */
const TELLING = new Set(['die', 'died', 'destroy', 'remove', 'pause', 'unpause', 'oom', 'stop']);

interface EngineEvent {
  readonly Action?: string;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

/** Which of our containers the engine just did something to. */
export async function* watchEvents(engine: EngineClient, instance: string, signal: AbortSignal): AsyncGenerator<ContainerRef> {
  const filters = { type: ['container' as const], label: [`${LABEL.instance}=${instance}`] };
  try {
    const answer = await engine.open(
      'engine.events',
      async (docker, abortSignal) => (await docker.getEvents({ filters, abortSignal })) as Readable,
      { signal },
    );
    for await (const line of lines(answer)) {
      const event = JSON.parse(line) as EngineEvent;
      const ref = refOf(event.Actor?.Attributes, instance);
      if (ref !== undefined && TELLING.has(event.Action ?? '')) yield ref;
    }
  } catch (error) {
    if (signal.aborted) return;
    throw engineError(error, engine.address);
  }
  if (!signal.aborted) {
    throw new RuntimeError('unreachable', {
      code: 'engine-unavailable',
      message: `the container engine at ${engine.address.text} closed its stream of events`,
      remedy: 'It is probably being restarted: wait, or look at its log.',
    });
  }
}
