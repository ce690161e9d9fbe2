import { randomUUID } from 'node:crypto';
import type { ContainerInfo, HostConfig } from 'dockerode';
import { RuntimeError } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineRefusal } from './errors.ts';
import { LABEL } from './names.ts';

interface Purpose {
  readonly purpose: 'commit' | 'prepare-storage' | 'read-users';
  readonly image: string;
  readonly mounts: NonNullable<HostConfig['Mounts']>;
}

interface Settings {
  readonly engine: EngineClient;
  readonly instance: string;
  /** As serverMark has it. */
  readonly server: string;
}

/** What takes longest; a server that is gone for so long does not come back to it. */
const OTHERS_COMMIT_MS = 3 * 60 * 60_000;
const PREFIX = 'berth-throwaway-';

/** Containers that are made only to reach files through the engine, or to say that somebody is at something. They are never started. */
export class ThrowAways {
  readonly #engine: EngineClient;
  readonly #instance: string;
  readonly #server: string;
  /** Names of those that this server is using, from before they are made. */
  readonly #used = new Set<string>();

  constructor({ engine, instance, server }: Settings) {
    this.#engine = engine;
    this.#instance = instance;
    this.#server = server;
  }

  async use<T>(purpose: Purpose, work: (container: string) => Promise<T>): Promise<T> {
    const name = `${PREFIX}${randomUUID()}`;
    this.#used.add(name);
    try {
      return await work(await this.#create(name, purpose));
    } finally {
      await this.#discard(name);
    }
  }

  /** Says to all servers that this one makes the image asked for by `key`, until `release`. False: somebody is at it already. */
  async claim(key: string, image: string): Promise<boolean> {
    const name = PREFIX + key;
    if (this.#used.has(name)) return false;
    this.#used.add(name);
    try {
      if (await this.#take(name, image)) return true;
      this.#used.delete(name);
      return false;
    } catch (error) {
      this.#used.delete(name);
      throw error;
    }
  }

  /** May be repeated; what it could not remove goes with the sweep. */
  async release(key: string): Promise<void> {
    await this.#discard(PREFIX + key);
  }

  /** The keys of all claims, whosever. */
  async claims(): Promise<ReadonlySet<string>> {
    return new Set((await this.#list()).flatMap(({ Names }) => Names.map((name) => bare(name).slice(PREFIX.length))));
  }

  /** Those that a killed server left behind; what another one that lives may be using for long stays for hours. */
  async removeOlderThan(ageMs: number): Promise<void> {
    const old = (await this.#list()).filter(({ Created, Labels, Names }) => {
      const patienceMs = this.#isOthersCommit(Labels) ? Math.max(ageMs, OTHERS_COMMIT_MS) : ageMs;
      return !Names.some((name) => this.#used.has(bare(name))) && Date.now() - Created * 1000 >= patienceMs;
    });
    await Promise.all(old.map(({ Id }) => this.#remove(Id)));
  }

  #list(): Promise<ContainerInfo[]> {
    const filters = { label: [`${LABEL.instance}=${this.#instance}`, LABEL.throwAway] };
    return this.#engine.call('engine.container-list', (docker) => docker.listContainers({ all: true, filters }));
  }

  #isOthersCommit(labels: Readonly<Record<string, string>>): boolean {
    return labels[LABEL.throwAway] === 'commit' && labels[LABEL.server] !== this.#server;
  }

  /** The engine lets one have the name. One that was left behind is taken over. */
  async #take(name: string, image: string): Promise<boolean> {
    const create = (): Promise<string> => this.#create(name, { purpose: 'commit', image, mounts: [] });
    try {
      await create();
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      const holder = await this.#engine.find('engine.container-inspect', (docker) => docker.getContainer(name).inspect());
      if (holder === undefined && error.status === 409) return false;
      if (holder === undefined) throw error;
      if (this.#isOthersCommit(holder.Config.Labels) && Date.now() - Date.parse(holder.Created) < OTHERS_COMMIT_MS) return false;
      await this.#remove(holder.Id);
      await create();
    }
    return true;
  }

  async #create(name: string, { purpose, image, mounts }: Purpose): Promise<string> {
    try {
      const created = await this.#engine.call('engine.container-create', (docker) =>
        docker.createContainer({
          name,
          Image: image,
          // Never run, but an image without a command is refused otherwise.
          Entrypoint: ['/none'],
          Labels: { [LABEL.instance]: this.#instance, [LABEL.throwAway]: purpose, [LABEL.server]: this.#server },
          HostConfig: { NetworkMode: 'none', Mounts: mounts },
        }),
      );
      return created.id;
    } catch (error) {
      if (!(error instanceof EngineRefusal) || error.status !== 404) throw error;
      throw imageGone(image, error);
    }
  }

  async #discard(name: string): Promise<void> {
    try {
      await this.#remove(name);
    } finally {
      this.#used.delete(name);
    }
  }

  /** With the anonymous volumes that its image asked for. */
  async #remove(container: string): Promise<void> {
    await this.#engine.find('engine.container-remove', (docker) => docker.getContainer(container).remove({ force: true, v: true }));
  }
}

/** Engines list names with a slash before them. */
const bare = (name: string): string => name.replace(/^\//, '');

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
