import { randomUUID } from 'node:crypto';
import type { HostConfig } from 'dockerode';
import { RuntimeError } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineRefusal } from './errors.ts';
import { LABEL } from './names.ts';

interface Purpose {
  readonly purpose: string;
  readonly image: string;
  readonly mounts: NonNullable<HostConfig['Mounts']>;
}

/** Containers that are made only to reach files through the engine. They are never started. */
export class ThrowAways {
  readonly #engine: EngineClient;
  readonly #instance: string;

  constructor(engine: EngineClient, instance: string) {
    this.#engine = engine;
    this.#instance = instance;
  }

  async use<T>(purpose: Purpose, work: (container: string) => Promise<T>): Promise<T> {
    const container = await this.#create(purpose);
    try {
      return await work(container);
    } finally {
      await this.#remove(container);
    }
  }

  /** Those that a killed server left behind. */
  async removeOlderThan(ageMs: number): Promise<void> {
    const filters = { label: [`${LABEL.instance}=${this.#instance}`, LABEL.throwAway] };
    const found = await this.#engine.call('engine.container-list', (docker) => docker.listContainers({ all: true, filters }));
    const old = found.filter((container) => Date.now() - container.Created * 1000 >= ageMs);
    await Promise.all(old.map((container) => this.#remove(container.Id)));
  }

  async #create({ purpose, image, mounts }: Purpose): Promise<string> {
    try {
      const created = await this.#engine.call('engine.container-create', (docker) =>
        docker.createContainer({
          name: `berth-throwaway-${randomUUID()}`,
          Image: image,
          // Never run, but an image without a command is refused otherwise.
          Entrypoint: ['/none'],
          Labels: { [LABEL.instance]: this.#instance, [LABEL.throwAway]: purpose },
          HostConfig: { NetworkMode: 'none', Mounts: mounts },
        }),
      );
      return created.id;
    } catch (error) {
      if (!(error instanceof EngineRefusal) || error.status !== 404) throw error;
      throw imageGone(image, error);
    }
  }

  async #remove(container: string): Promise<void> {
    await this.#engine.find('engine.container-remove', (docker) => docker.getContainer(container).remove({ force: true }));
  }
}

export const imageGone = (image: string, cause: unknown): RuntimeError =>
  new RuntimeError(
    'retry',
    {
      code: 'image-not-found',
      message: `the image ${image} is not on this node any more`,
      remedy: 'Start the session again: it is pulled anew.',
    },
    { cause },
  );
