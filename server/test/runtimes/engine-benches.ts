import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { randomUUID } from 'node:crypto';
import { connectDocker, type DockerRuntime, type DockerRuntimeOptions } from '../../src/runtimes/docker/docker-runtime.ts';
import Docker from 'dockerode';
import { parseEngineAddress } from '../../src/runtimes/docker/engine-address.ts';
import { LABEL } from '../../src/runtimes/docker/names.ts';
import { removeFirewall } from '../../src/runtimes/docker/firewall.ts';
import { tarOf, type TarEntry } from '../../src/runtimes/docker/tar.ts';
import type { Bench } from '../../src/runtimes/runtime-conformance.ts';

export const IMAGE = process.env['BERTH_TEST_IMAGE'] ?? 'dev/debian:latest';

export interface EngineBench extends Bench {
  readonly runtime: DockerRuntime;
  readonly url: string;
  readonly instance: string;
  readonly options: DockerRuntimeOptions;
}

/** Two installations on a real engine. */
export async function engineBench(url: string, changes: Partial<DockerRuntimeOptions> = {}): Promise<EngineBench> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'berth-runtime-'));
  const builtinImages = { make: async () => Promise.reject(new Error('no test makes images')) };
  const optionsOf = (instance: string): DockerRuntimeOptions => ({
    url,
    instance,
    dataFolder,
    builtinImages,
    log: () => undefined,
    ...changes,
  });
  const [ours, theirs] = [randomUUID(), randomUUID()];
  const runtime = connectDocker(optionsOf(ours));
  return {
    url,
    instance: ours,
    options: optionsOf(ours),
    runtime,
    again: () => connectDocker(optionsOf(ours)),
    stranger: connectDocker(optionsOf(theirs)),
    image: IMAGE,
    async close() {
      // Networks are removed behind a removed container; storages outlive sessions, and so tests.
      for (const sessionId of await runtime.traces()) await runtime.clear(sessionId);
      await removeVolumes(url, ours);
      await removeImages(url, 'localhost/berth/conformance/');
      await Promise.all([ours, theirs].map(removeFirewall));
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** The engine itself, to look behind the runtime's back. */
export const bareEngine = ({ url }: Pick<EngineBench, 'url'>): Docker => new Docker(parseEngineAddress(url).connection);

async function removeVolumes(url: string, instance: string): Promise<void> {
  const docker = bareEngine({ url });
  const { Volumes } = await docker.listVolumes({ filters: { label: [`${LABEL.instance}=${instance}`] } });
  await Promise.all((Volumes ?? []).map((volume) => docker.getVolume(volume.Name).remove()));
}

/** Those whose name begins so. */
export async function removeImages(url: string, beginning: string): Promise<void> {
  const docker = bareEngine({ url });
  const names = (await docker.listImages()).flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.startsWith(beginning));
  await Promise.all(names.map((name) => docker.getImage(name).remove({ force: true })));
}

/** Adds an image made of these files alone; answers its digest. */
export async function importImage(bench: EngineBench, files: readonly TarEntry[], changes: string | readonly string[]): Promise<string> {
  const answer = await bareEngine(bench).importImage(Readable.from([await tarOf(files)]), { changes });
  const digest = /sha256:[0-9a-f]{64}/.exec(await text(answer))?.[0];
  if (digest === undefined) throw new Error('the engine did not say which image it made');
  return digest;
}

export async function commitAfter(bench: EngineBench, command: string[]): Promise<string> {
  const container = await bareEngine(bench).createContainer({
    Image: IMAGE,
    User: '0',
    Entrypoint: command,
    Cmd: [],
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    await container.start();
    await container.wait();
    const { Id } = (await container.commit({})) as { Id: string };
    return Id;
  } finally {
    await container.remove({ force: true });
  }
}

export async function removeImage(bench: EngineBench, digest: string): Promise<void> {
  await bareEngine(bench).getImage(digest).remove({ force: true });
}
