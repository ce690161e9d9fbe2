import { randomUUID } from 'node:crypto';
import { copyFile, lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';

/** Writes below one folder of this machine, and through no link on the way: neither one that was there nor one that was planted. */
export class Place {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Made as far as it is missing. */
  async enter(names: readonly string[]): Promise<string> {
    let path = this.folder;
    await mkdir(path, { recursive: true });
    for (const name of names) {
      path = join(path, name);
      await mkdir(path).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        if (!(await lstat(path)).isDirectory()) throw new Failure('failed', `${path} is there, and is no folder: move it away.`);
      });
    }
    return path;
  }

  /** Replaces what has that name, unless it is a folder; a link itself, not what it leads to. Answers the size in bytes. */
  async write(names: readonly string[], content: AsyncIterable<Uint8Array>, executable: boolean): Promise<number> {
    return this.#replace(names, async (draft) => {
      const file = await open(draft, 'wx', executable ? 0o777 : 0o666);
      let size = 0;
      try {
        for await (const chunk of content) {
          await file.writeFile(chunk);
          size += chunk.length;
        }
      } finally {
        await file.close();
      }
      return size;
    });
  }

  /** The same content again: the second name of a file. */
  async copy(from: readonly string[], names: readonly string[]): Promise<number> {
    const source = join(await this.enter(from.slice(0, -1)), from.at(-1) ?? '');
    const { size } = await lstat(source).then((facts) => (facts.isFile() ? facts : Promise.reject(new Error(`${source} is no file`))));
    return this.#replace(names, async (draft) => {
      await copyFile(source, draft);
      return size;
    });
  }

  async #replace(names: readonly string[], make: (draft: string) => Promise<number>): Promise<number> {
    const folder = await this.enter(names.slice(0, -1));
    const draft = join(folder, `.berth-${randomUUID()}`);
    try {
      const size = await make(draft);
      await rename(draft, join(folder, names.at(-1) ?? ''));
      return size;
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }
}
