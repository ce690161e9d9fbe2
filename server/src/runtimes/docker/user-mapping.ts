import { randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { tarOf, textOfTar } from './tar.ts';
import type { ThrowAways } from './throw-aways.ts';

/** Of a file of users. */
const MOST_BYTES = 2 ** 20;

type User = ContainerSpec['user'];
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

/** The image's passwd with the session's user in it: no other entry keeps her number or name. */
export function passwdWith(text: string, user: User, shell: string): string {
  const others = text
    .split('\n')
    .filter((line) => line !== '' && line.split(':')[0] !== user.name && line.split(':')[2] !== String(user.uid));
  return `${[...others, `${user.name}:x:${user.uid}:${user.gid}::${user.home}:${shell}`].join('\n')}\n`;
}

export function groupWith(text: string, user: User): string {
  const others = text
    .split('\n')
    .filter((line) => line !== '' && line.split(':')[0] !== user.name && line.split(':')[2] !== String(user.gid));
  return `${[...others, `${user.name}:x:${user.gid}:`].join('\n')}\n`;
}

/** Makes the user known in any image. What an image's files say is asked once and kept. */
export class UserMapping {
  readonly #engine: EngineClient;
  readonly #throwAways: ThrowAways;
  readonly #folder: string;
  readonly #images = new Map<string, Promise<UserFiles & { readonly shell: string }>>();
  readonly #written = new Map<string, Promise<UserFiles>>();

  constructor(settings: { engine: EngineClient; throwAways: ThrowAways; dataFolder: string }) {
    this.#engine = settings.engine;
    this.#throwAways = settings.throwAways;
    this.#folder = join(settings.dataFolder, 'passwd');
  }

  /** The contents of both files. */
  async contents(imageDigest: string, user: User): Promise<UserFiles> {
    let image = this.#images.get(imageDigest);
    if (image === undefined) {
      image = this.#read(imageDigest);
      this.#images.set(imageDigest, image);
      image.catch(() => this.#images.delete(imageDigest));
    }
    const { passwd, group, shell } = await image;
    return { passwd: passwdWith(passwd, user, shell), group: groupWith(group, user) };
  }

  /** Paths of both files on this machine. */
  paths(imageDigest: string, user: User): Promise<UserFiles> {
    const key = `${imageDigest.replace(/^sha256:/, '').slice(0, 24)}-${user.name}-${user.uid}-${user.gid}`;
    let files = this.#written.get(key);
    if (files === undefined) {
      files = this.#write(key, imageDigest, user);
      this.#written.set(key, files);
      files.catch(() => this.#written.delete(key));
    }
    return files;
  }

  /** For an engine that does not see this machine's files: into the container itself, before it starts. */
  async copyInto(container: string, imageDigest: string, user: User): Promise<void> {
    const contents = await this.contents(imageDigest, user);
    const tar = await tarOf([
      { name: 'passwd', mode: 0o644, content: contents.passwd },
      { name: 'group', mode: 0o644, content: contents.group },
    ]);
    await this.#engine.call('engine.container-archive', (docker) => docker.getContainer(container).putArchive(tar, { path: '/etc' }));
  }

  async #write(key: string, imageDigest: string, user: User): Promise<UserFiles> {
    const contents = await this.contents(imageDigest, user);
    await mkdir(this.#folder, { recursive: true });
    const write = async (name: keyof UserFiles): Promise<string> => {
      const path = join(this.#folder, `${key}.${name}`);
      // Renamed into place: another server process, or a container being started, never sees half a file.
      const draft = `${path}.${randomUUID()}`;
      await writeFile(draft, contents[name], { mode: 0o644 });
      await rename(draft, path);
      return path;
    };
    return { passwd: await write('passwd'), group: await write('group') };
  }

  #read(imageDigest: string): Promise<UserFiles & { readonly shell: string }> {
    return this.#throwAways.use({ purpose: 'read-users', image: imageDigest, mounts: [] }, async (container) => {
      const [passwd, group, bash] = await Promise.all([
        this.#file(container, '/etc/passwd'),
        this.#file(container, '/etc/group'),
        this.#exists(container, '/bin/bash'),
      ]);
      return { passwd, group, shell: bash ? '/bin/bash' : '/bin/sh' };
    });
  }

  async #exists(container: string, path: string): Promise<boolean> {
    const found = await this.#engine.find('engine.container-archive', (docker) => docker.getContainer(container).infoArchive({ path }));
    return found !== undefined;
  }

  /** Empty where the image has no such file, or a huge one. */
  async #file(container: string, path: string): Promise<string> {
    const archive = await this.#engine.find('engine.container-archive', (docker) => docker.getContainer(container).getArchive({ path }));
    return archive === undefined ? '' : textOfTar(archive, MOST_BYTES);
  }
}
