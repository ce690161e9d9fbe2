import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect } from 'vitest';
import type { TarEntry } from '../../src/runtimes/docker/tar.ts';
import type { ContainerRef, ContainerSpec, Observed, StorageRef } from '../../src/runtimes/runtime.ts';
import { digestOf, logText, plainSpec, untilPhase } from '../../src/runtimes/runtime-conformance.ts';
import { commitAfter, engineBench, importImage, removeImage, type EngineBench } from './engine-benches.ts';

/** A bench with what most tests do on it; removes what they made. */
export class Workbench {
  #bench: EngineBench | undefined;
  #digest = '';
  readonly #made: ContainerRef[] = [];
  readonly #images: string[] = [];

  constructor(host: string) {
    beforeAll(async () => {
      this.#bench = await engineBench(host);
      this.#digest = await digestOf(this.#bench.runtime, this.#bench.image);
    });
    afterAll(async () => {
      await Promise.all(this.#made.map((ref) => this.bench.runtime.remove(ref)));
      for (const digest of this.#images) await removeImage(this.bench, digest);
      await this.bench.close();
    });
  }

  get bench(): EngineBench {
    if (this.#bench === undefined) throw new Error('the bench is made before all tests');
    return this.#bench;
  }

  get digest(): string {
    return this.#digest;
  }

  spec(changes: Partial<ContainerSpec> = {}): ContainerSpec {
    const spec = plainSpec(this.#digest, changes);
    this.#made.push(spec.ref);
    return spec;
  }

  async created(changes: Partial<ContainerSpec> = {}): Promise<ContainerRef> {
    const spec = this.spec(changes);
    await this.bench.runtime.create(spec);
    return spec.ref;
  }

  async started(changes: Partial<ContainerSpec> = {}): Promise<ContainerRef> {
    const ref = await this.created(changes);
    await this.bench.runtime.start(ref, { bootstrapScript: changes.bootstrapScript });
    return ref;
  }

  /** Runs a command as the main process, to its end. */
  async ran(changes: Partial<ContainerSpec>): Promise<Observed & { readonly log: string }> {
    const ref = await this.started(changes);
    const observed = await untilPhase(this.bench.runtime, ref, 'exited');
    return { ...observed, log: await logText(this.bench.runtime, ref, { follow: false }) };
  }

  /** Output and exit code of a script in a running container. */
  async inside(ref: ContainerRef, script: string): Promise<{ readonly output: string; readonly code: number | undefined }> {
    const terminal = await this.bench.runtime.exec(ref, { command: ['sh', '-c', `exec 2>&1; ${script}`], tty: null });
    const output = await text(terminal.stdout);
    return { output, code: await terminal.exited };
  }

  /** An image made of these files alone; its digest. */
  async image(files: readonly TarEntry[], changes: string): Promise<string> {
    const digest = await importImage(this.bench, files, changes);
    this.#images.push(digest);
    return digest;
  }

  /** The bench's image after this command, run by root, has changed it; its digest. */
  async changedImage(command: string[]): Promise<string> {
    const digest = await commitAfter(this.bench, command);
    this.#images.push(digest);
    return digest;
  }

  async home(): Promise<StorageRef> {
    const storage = { name: `home-${randomUUID()}`, uid: 1000, gid: 1000 };
    await this.bench.runtime.ensureStorage('node', storage, this.#digest);
    return storage;
  }
}

export const limits = (changes: Partial<ContainerSpec['limits']>): ContainerSpec['limits'] => ({ ...plainSpec('').limits, ...changes });

export const eventually = <T>(probe: () => Promise<T>) => expect.poll(probe, { timeout: 60_000, interval: 50 });
