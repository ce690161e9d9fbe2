import type { ContainerSpec } from './runtime.ts';

/** What is in the storages of a fake engine, by name and then by path in it. */
export type FakeStorages = Map<string, Map<string, string>>;

/** What a container sees of its storages; it has no other files. */
export class FakeFiles {
  readonly #storages: FakeStorages;
  readonly #mounts: ContainerSpec['mounts'];

  constructor(storages: FakeStorages, mounts: ContainerSpec['mounts']) {
    this.#storages = storages;
    this.#mounts = mounts;
  }

  read(path: string): string | undefined {
    const found = this.#at(path);
    return found?.files?.get(found.inside);
  }

  /** false: it cannot be written. */
  write(path: string, text: string): boolean {
    const found = this.#at(path);
    if (found?.files === undefined || found.readOnly) return false;
    found.files.set(found.inside, text);
    return true;
  }

  /** The innermost storage that this path lies in. */
  #at(path: string): { files: Map<string, string> | undefined; inside: string; readOnly: boolean } | undefined {
    const around = this.#mounts.filter(({ target }) => path.startsWith(`${target}/`));
    const [mount] = around.toSorted((a, b) => b.target.length - a.target.length);
    if (mount === undefined) return undefined;
    return { files: this.#storages.get(mount.storage.name), inside: path.slice(mount.target.length), readOnly: mount.readOnly };
  }
}
