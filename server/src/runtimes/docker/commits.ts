import { createHash } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { text } from 'node:stream/consumers';
import { formatBytes } from '@berth/contract';
import type { ContainerInspectInfo, ImageInspectInfo } from 'dockerode';
import { lines } from '../lines.ts';
import { RuntimeError, type CommitRequest, type CommitState } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineRefusal } from './errors.ts';
import { cleanConfig, configFile, importChanges, type ImageConfig } from './image-config.ts';
import { tarOf } from './tar.ts';
import type { ThrowAways } from './throw-aways.ts';

/** While the engine writes down a large layer it says nothing. */
const COMMIT_TIMEOUT_MS = 60 * 60_000;

interface Job {
  progress: string;
  /** undefined: under way; else the image's id, or why there is none. */
  outcome: string | RuntimeError | undefined;
  endedAt: number | undefined;
}

/** Somebody who asked for it will have heard by then. */
const HEARD_AFTER_MS = 10 * 60_000;

interface Settings {
  readonly engine: EngineClient;
  readonly throwAways: ThrowAways;
  readonly instance: string;
}

/**
 * Images of containers. What an engine commits says how the container was started, with all its variables, and an engine lets
 * nobody take that out: so this is a draft, and the image proper has its layers, or its files, and says what the first image said.
 */
export class Commits {
  readonly #engine: EngineClient;
  readonly #throwAways: ThrowAways;
  /** Drafts are called so, each by the key of its request. No registry can stand in for this host. */
  readonly #drafts: string;
  readonly #jobs = new Map<string, Job>();

  constructor({ engine, throwAways, instance }: Settings) {
    this.#engine = engine;
    this.#throwAways = throwAways;
    this.#drafts = `localhost/berth-commit/${instance.slice(0, 8)}`;
  }

  /** `container` is asked for only where it is begun. */
  async commit(request: CommitRequest, container: () => Promise<ContainerInspectInfo>): Promise<CommitState> {
    const job = this.#jobs.get(request.key) ?? (await this.#claim(request, await container()));
    if (job === undefined) return { phase: 'working', progress: 'another server of this installation is making it' };
    if (job.outcome === undefined) return { phase: 'working', progress: job.progress };
    // Not before: another server that asks as soon as it is made would make it again.
    await this.#throwAways.release(request.key);
    if (typeof job.outcome === 'string') return { phase: 'done', digest: job.outcome };
    // What failed for the engine's silence is begun again once it answers.
    if (job.outcome.kind === 'unreachable') this.#jobs.delete(request.key);
    throw job.outcome;
  }

  /** Drafts of a killed server: nobody claims them any more. What a container is made of is refused to be removed: somebody is at it. */
  async removeOlderThan(ageMs: number): Promise<void> {
    await this.#releaseUnheard();
    const images = await this.#engine.call('engine.image-list', (docker) => docker.listImages());
    const old = images.filter(({ Created }) => Date.now() - Created * 1000 >= ageMs);
    const drafts = old.flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.startsWith(`${this.#drafts}:`));
    if (drafts.length === 0) return;
    const claims = await this.#throwAways.claims();
    for (const draft of drafts) if (!claims.has(draft.slice(this.#drafts.length + 1))) await this.#remove(draft);
  }

  /** Of sessions that went before they were told. */
  async #releaseUnheard(): Promise<void> {
    for (const [key, job] of this.#jobs) {
      if (job.endedAt === undefined || Date.now() - job.endedAt < HEARD_AFTER_MS) continue;
      await this.#throwAways.release(key);
      this.#jobs.delete(key);
    }
  }

  /** Undefined: another server is at it. */
  async #claim(request: CommitRequest, container: ContainerInspectInfo): Promise<Job | undefined> {
    const claimed = await this.#throwAways.claim(request.key, container.Image);
    return claimed ? this.#begin(request, container) : this.#jobs.get(request.key);
  }

  #begin(request: CommitRequest, container: ContainerInspectInfo): Job {
    const job: Job = { progress: 'saving what was written in the session', outcome: undefined, endedAt: undefined };
    this.#jobs.set(request.key, job);
    const ended = (outcome: string | RuntimeError): void => {
      job.outcome = outcome;
      job.endedAt = Date.now();
    };
    void this.#make(request, container, (progress) => (job.progress = progress)).then(ended, (error: unknown) =>
      ended(asRuntimeError(error)),
    );
    return job;
  }

  async #make({ reference, key }: CommitRequest, container: ContainerInspectInfo, report: (progress: string) => void): Promise<string> {
    const draft = `${this.#drafts}:${key}`;
    await this.#remove(draft);
    await this.#engine.call(
      'engine.container-commit',
      (docker) => docker.getContainer(container.Id).commit({ repo: this.#drafts, tag: key, pause: true }),
      COMMIT_TIMEOUT_MS,
    );
    try {
      const [layered, origin] = await Promise.all([this.#find(draft), this.#find(container.Image)]);
      if (layered === undefined || origin === undefined) throw originGone(container.Image);
      const config = cleanConfig(origin);
      const replaced = (await this.#find(reference))?.Id;
      const digest =
        (await this.#nameLayers(reference, layered, config)) ?? (await this.#copyFiles(reference, layered, { config, report }));
      if (replaced !== undefined && replaced !== digest) await this.#remove(replaced);
      return digest;
    } finally {
      await this.#remove(draft);
    }
  }

  /** At once, where an engine takes an image's file alone for layers that it has. Podman, and Docker with containerd's store, do not. */
  async #nameLayers(reference: string, layered: ImageInspectInfo, config: ImageConfig): Promise<string | undefined> {
    const file = JSON.stringify(configFile(config, layered, new Date()));
    const digest = createHash('sha256').update(file).digest('hex');
    const paths = (layered.RootFS.Layers ?? []).map((_, index) => `${index}/layer.tar`);
    const manifest = JSON.stringify([{ Config: `${digest}.json`, RepoTags: [reference], Layers: paths }]);
    const tar = await tarOf([
      { name: `${digest}.json`, mode: 0o644, content: file },
      { name: 'manifest.json', mode: 0o644, content: manifest },
    ]);
    try {
      const answer = await this.#engine.open(
        'engine.image-import',
        async (docker, abortSignal) => (await docker.loadImage(Readable.from([tar]), { abortSignal })) as Readable,
        { anew: true },
      );
      // What it says is not the proof; the image's id is.
      await text(answer);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      return undefined;
    }
    const id = (await this.#find(reference))?.Id;
    return id === `sha256:${digest}` ? id : undefined;
  }

  /** Everywhere: all files in one layer of the image's own. */
  async #copyFiles(
    reference: string,
    layered: ImageInspectInfo,
    { config, report }: { config: ImageConfig; report: (progress: string) => void },
  ): Promise<string> {
    await this.#throwAways.use({ purpose: 'commit', image: layered.Id, mounts: [] }, async (container) => {
      const files = await this.#engine.open(
        'engine.container-archive',
        async (docker) => (await docker.getContainer(container).export()) as Readable,
      );
      const counted = files.pipe(counting(layered.Size, report));
      files.on('error', (error) => counted.destroy(error));
      try {
        const answer = await this.#engine.open(
          'engine.image-import',
          async (docker) => (await docker.importImage(counted, { repo: reference, changes: importChanges(config) })) as Readable,
          // Its tag is part of the name: Podman heeds no other.
          { slow: true, anew: true },
        );
        for await (const line of lines(answer)) {
          const { error } = JSON.parse(line) as { error?: string };
          if (error !== undefined) throw new EngineRefusal(500, error);
        }
      } finally {
        files.destroy();
        counted.destroy();
      }
    });
    const image = await this.#find(reference);
    if (image === undefined) throw new EngineRefusal(500, `it took the files of ${reference}, and has no such image`);
    return image.Id;
  }

  #find(image: string): Promise<ImageInspectInfo | undefined> {
    return this.#engine.find('engine.image-inspect', (docker) => docker.getImage(image).inspect());
  }

  /** Never what it was made of; one that is in use, or has another name, stays. */
  async #remove(image: string): Promise<void> {
    try {
      await this.#engine.call('engine.image-remove', (docker) => docker.getImage(image).remove({ noprune: true }));
    } catch (error) {
      if (!(error instanceof EngineRefusal) || (error.status !== 404 && error.status !== 409)) throw error;
    }
  }
}

function counting(bytes: number, report: (progress: string) => void): Transform {
  let [sent, shown] = [0, 0];
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      const tenth = Math.min(Math.floor((sent * 10) / Math.max(bytes, 1)), 10);
      if (tenth > shown) report(`writing the image: ${tenth * 10} % of ${formatBytes(bytes)}`);
      shown = Math.max(shown, tenth);
      done(null, chunk);
    },
  });
}

const originGone = (image: string): RuntimeError =>
  new RuntimeError('fatal', {
    code: 'image-not-found',
    message: `the image that the session was started from (${image}) is not on the engine any more`,
    remedy: 'Keep images while sessions use them; start the session again, from the image as it is now.',
  });

const asRuntimeError = (error: unknown): RuntimeError =>
  error instanceof RuntimeError
    ? error
    : new RuntimeError(
        'retry',
        {
          code: 'rejected',
          message: `the image could not be made: ${error instanceof Error ? error.message : String(error)}`,
          remedy: "Try again; the engine's log says more.",
        },
        { cause: error },
      );
