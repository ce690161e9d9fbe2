import type { Readable } from 'node:stream';
import type { ImageInspectInfo } from 'dockerode';
import { BuiltinImageError, isBuiltin, type BuiltinImageMaker } from '../../domain/images/builtin.ts';
import type { ImageFacts } from '../../domain/images/image-facts.ts';
import { imageNotHere } from '../causes.ts';
import { RuntimeError, type ImageRequest, type ImageState } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineRefusal } from './errors.ts';
import { lines } from '../lines.ts';
import { pullFailure, stalled, wrongPlatform } from './pull-failure.ts';
import { PullProgress, type PullEvent } from './pull-progress.ts';

const STALLED_AFTER_MINUTES = 10;
const REMEMBERED_REQUESTS = 10_000;

/** One fetch of one image, whoever waits for it. */
interface Job {
  progress: () => string;
  /** undefined: under way. */
  outcome: 'done' | RuntimeError | undefined;
}

type Present = Extract<ImageState, { phase: 'present' }>;

interface Settings {
  readonly engine: EngineClient;
  readonly builtinImages: BuiltinImageMaker;
  readonly architecture: () => Promise<string>;
}

export class Images {
  readonly #settings: Settings;
  /** By reference, under way. */
  readonly #running = new Map<string, Job>();
  /** By request: what it began or joined, and its outcome once known. */
  readonly #requests = new Map<string, Job>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  async ensure(request: ImageRequest): Promise<ImageState> {
    const { reference } = request;
    const key = `${request.key} ${reference}`;
    const job = this.#requests.get(key);
    if (job !== undefined) return this.#follow(key, job, reference);

    const wantsFetch = request.pull === 'always' && !isBuiltin(reference);
    const present = wantsFetch ? undefined : await this.#local(reference);
    if (present !== undefined) return present;
    if (request.pull === 'never') throw new RuntimeError('fatal', imageNotHere(reference));

    const begun = this.#running.get(reference) ?? this.#begin(reference);
    this.#remember(key, begun);
    return this.#follow(key, begun, reference);
  }

  async #follow(key: string, job: Job, reference: string): Promise<ImageState> {
    if (job.outcome === undefined) return { phase: 'pulling', progress: job.progress() };
    if (job.outcome === 'done') {
      const present = await this.#local(reference);
      if (present !== undefined) return present;
      this.#requests.delete(key);
      return { phase: 'pulling', progress: 'it was removed meanwhile, fetching it again' };
    }
    // What may be better next time is tried anew then.
    if (job.outcome.kind !== 'fatal') this.#requests.delete(key);
    throw job.outcome;
  }

  #remember(key: string, job: Job): void {
    this.#requests.set(key, job);
    const oldest = this.#requests.keys().next().value;
    if (this.#requests.size > REMEMBERED_REQUESTS && oldest !== undefined) this.#requests.delete(oldest);
  }

  #begin(reference: string): Job {
    const job: Job = { progress: () => 'asking the registry', outcome: undefined };
    const fetching = isBuiltin(reference)
      ? this.#settings.builtinImages.make(reference, (line) => {
          job.progress = () => line;
        })
      : this.#pull(reference, job);
    this.#running.set(reference, job);
    void fetching
      .then(
        () => {
          job.outcome = 'done';
        },
        (error: unknown) => {
          job.outcome = asRuntimeError(reference, error);
        },
      )
      .finally(() => this.#running.delete(reference));
    return job;
  }

  async #pull(reference: string, job: Job): Promise<void> {
    const progress = new PullProgress();
    job.progress = () => progress.text();
    const stall = new AbortController();
    const stop = (): void => stall.abort();
    let timer = setTimeout(stop, STALLED_AFTER_MINUTES * 60_000);
    try {
      const answer = await this.#openPull(reference, stall.signal);
      for await (const line of lines(answer)) {
        clearTimeout(timer);
        timer = setTimeout(stop, STALLED_AFTER_MINUTES * 60_000);
        const event = JSON.parse(line) as PullEvent;
        if (event.error !== undefined) throw pullFailure(reference, event.error);
        progress.see(event);
      }
      if (stall.signal.aborted) throw stalled(reference, STALLED_AFTER_MINUTES);
    } catch (error) {
      throw stall.signal.aborted ? stalled(reference, STALLED_AFTER_MINUTES) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #openPull(reference: string, signal: AbortSignal): Promise<Readable> {
    try {
      const { engine } = this.#settings;
      return await engine.open(
        'engine.image-pull',
        async (docker, abortSignal) => (await docker.pull(reference, { abortSignal })) as Readable,
        { signal, slow: true },
      );
    } catch (error) {
      throw error instanceof EngineRefusal ? pullFailure(reference, error.said, { cause: error }) : error;
    }
  }

  async #local(reference: string): Promise<Present | undefined> {
    const [image, architecture] = await Promise.all([
      this.#settings.engine.find('engine.image-inspect', (docker) => docker.getImage(reference).inspect()),
      this.#settings.architecture(),
    ]);
    if (image === undefined) return undefined;
    if (image.Architecture !== '' && image.Architecture !== architecture) throw wrongPlatform(reference, image.Architecture, architecture);
    return { phase: 'present', digest: image.Id, facts: factsOf(image) };
  }
}

/** Podman leaves out what an image has none of. */
function factsOf({ Config: config }: ImageInspectInfo): ImageFacts {
  const exposed = Object.keys(config?.ExposedPorts ?? {});
  return {
    labels: config?.Labels ?? {},
    exposedPorts: exposed.filter((port) => /^\d+(\/tcp)?$/.test(port)).map((port) => Number.parseInt(port, 10)),
  };
}

function asRuntimeError(reference: string, error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  if (error instanceof BuiltinImageError) return new RuntimeError('fatal', error.failure, { cause: error });
  return pullFailure(reference, error instanceof Error ? error.message : String(error), { cause: error });
}
