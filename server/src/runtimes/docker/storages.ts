import { RuntimeError, type StorageRef } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { LABEL, volumeName } from './names.ts';
import { tarOf } from './tar.ts';
import type { ThrowAways } from './throw-aways.ts';

/** Named volumes whose root belongs to their user alone. */
export class Storages {
  readonly #engine: EngineClient;
  readonly #throwAways: ThrowAways;
  readonly #instance: string;
  readonly #ready = new Set<string>();

  constructor(settings: { engine: EngineClient; throwAways: ThrowAways; instance: string }) {
    this.#engine = settings.engine;
    this.#throwAways = settings.throwAways;
    this.#instance = settings.instance;
  }

  async ensure(storage: StorageRef, imageDigest: string): Promise<void> {
    const name = volumeName(this.#instance, storage.name);
    const isThere = await this.#isThere(name);
    if (isThere && this.#ready.has(name)) return;
    if (!isThere) {
      await this.#engine.call('engine.volume-create', (docker) =>
        docker.createVolume({ Name: name, Driver: 'local', Labels: { [LABEL.instance]: this.#instance } }),
      );
    }
    // A server killed between the two steps left a volume of root's: so each server process looks after each once.
    await this.#prepare(name, storage, imageDigest);
    this.#ready.add(name);
  }

  async remove(storage: StorageRef): Promise<void> {
    const name = volumeName(this.#instance, storage.name);
    this.#ready.delete(name);
    if (!(await this.#isThere(name))) return;
    await this.#engine.find('engine.volume-remove', (docker) => docker.getVolume(name).remove());
  }

  async #isThere(name: string): Promise<boolean> {
    const volume = await this.#engine.find('engine.volume-inspect', (docker) => docker.getVolume(name).inspect());
    if (volume !== undefined && volume.Labels?.[LABEL.instance] !== this.#instance) throw notOurs(name);
    return volume !== undefined;
  }

  async #prepare(volume: string, storage: StorageRef, imageDigest: string): Promise<void> {
    const mounts = [
      {
        Type: 'volume' as const,
        Source: volume,
        Target: '/storage',
        ReadOnly: false,
        VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
      },
    ];
    await this.#throwAways.use({ purpose: 'prepare-storage', image: imageDigest, mounts }, async (container) => {
      // Docker changes no owner of the folder it extracts into, Podman mounts volumes only where it does.
      for (const [path, name] of [
        ['/storage', './'],
        ['/', 'storage/'],
      ] as const) {
        const tar = await tarOf([{ name, type: 'directory', uid: storage.uid, gid: storage.gid, mode: 0o700 }]);
        await this.#engine.call('engine.volume-prepare', (docker) => docker.getContainer(container).putArchive(tar, { path }));
      }
    });
  }
}

const notOurs = (name: string): RuntimeError =>
  new RuntimeError('fatal', {
    code: 'rejected',
    message: `the engine has a volume "${name}" that does not belong to this installation`,
    remedy: 'Rename or remove it, or give this installation an engine of its own.',
  });
