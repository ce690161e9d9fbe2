import { gzipSync } from 'node:zlib';
import { containersOf, MAIN, nodesOf, type PlanPolicy } from '../domain/sessions/container-plan.ts';
import { encodeChunk, lastLines, type KeptChunk } from '../domain/sessions/kept-log.ts';
import type { Session } from '../domain/sessions/session.ts';
import type { Sighting } from '../domain/sessions/see-together.ts';
import type { ReconcilerStore } from '../domain/sessions/session-store.ts';
import { mountsOf } from '../domain/storages/session-mounts.ts';
import { canFreeze, RuntimeError, type ContainerRef, type Observed, type Runtime, type StartRequest } from '../runtimes/runtime.ts';
import { containerSpec } from './container-spec.ts';
import type { Gate } from '../domain/gate.ts';

export interface ContainersParts {
  readonly store: Pick<ReconcilerStore, 'keepLog'>;
  readonly runtime: Runtime;
  /** Starts under way at once: more than two per CPU only make every one slower. */
  readonly launches: Gate;
  readonly plan: PlanPolicy;
  /** Of each log. */
  readonly keptLogBytes: number;
}

const LAST_LINES = 20;

/**
 * What the runtime is asked to do with a session's containers, all of them. A call goes as far as it can with each, then
 * fails with the first failure; repeated, it goes on where it broke off.
 */
export class SessionContainers {
  readonly #parts: ContainersParts;

  constructor(parts: ContainersParts) {
    this.#parts = parts;
  }

  /** What outlives the containers: on every node that gets one of them. */
  async ensureStorages(session: Session, image: string): Promise<void> {
    const { runtime } = this.#parts;
    const nodes = runtime.orchestrates ? [session.spec.node ?? ''] : session.grant === null ? [] : nodesOf(session.grant);
    const wanted = nodes.flatMap((node) => mountsOf(session).map(({ storage }) => ({ node, storage })));
    await Promise.all(wanted.map(({ node, storage }) => runtime.ensureStorage(node, storage, image)));
  }

  async create(session: Session, image: string): Promise<void> {
    await each(session, containersOf(session), (ref) => this.#parts.launches.run(() => this.#createOne(session, ref, image)));
  }

  async #createOne(session: Session, { container }: ContainerRef, imageDigest: string): Promise<void> {
    const { runtime, plan } = this.#parts;
    const node = runtime.orchestrates ? { node: session.spec.node ?? '' } : {};
    await runtime.create({ ...containerSpec(session, container, { imageDigest, plan }), ...node });
  }

  /** Main1 last: then it finds the others. `seen`: what they were when this was decided; without it none had been started. */
  async start(session: Session, seen: readonly Sighting[] = []): Promise<void> {
    const { runtime, launches } = this.#parts;
    const refs = containersOf(session);
    const subs = refs.filter(({ container }) => container !== MAIN);
    const main = refs.filter(({ container }) => container === MAIN);
    const { bootstrapScript } = session.spec;
    const how = ({ container }: ContainerRef): StartRequest => ({
      bootstrapScript,
      seen: seen.find(({ name }) => name === container)?.seen ?? {},
    });
    await each(session, subs, (ref) => launches.run(() => this.#startSub(session, ref, how(ref))));
    await each(session, main, (ref) => launches.run(() => runtime.start(ref, how(ref))));
  }

  /** One that somebody removed is made again: nothing was in it that could not be. */
  async #startSub(session: Session, ref: ContainerRef, how: StartRequest): Promise<void> {
    const { runtime } = this.#parts;
    if (!runtime.orchestrates && session.imageDigest !== null && (await runtime.inspect(ref)).phase === 'absent')
      await this.#createOne(session, ref, session.imageDigest);
    await runtime.start(ref, how);
  }

  async freeze(session: Session): Promise<void> {
    const { runtime } = this.#parts;
    if (canFreeze(runtime)) await each(session, await this.#those(session, ['running']), (ref) => runtime.freeze(ref));
  }

  async thaw(session: Session): Promise<void> {
    const { runtime } = this.#parts;
    if (canFreeze(runtime)) await each(session, await this.#those(session, ['frozen']), (ref) => runtime.thaw(ref));
  }

  async stop(session: Session): Promise<void> {
    const { runtime, plan } = this.#parts;
    await each(session, await this.#those(session, ['running', 'frozen']), (ref) => runtime.stop(ref, plan.stopGraceSeconds));
  }

  async remove(session: Session): Promise<void> {
    await each(session, containersOf(session), (ref) => this.#parts.runtime.remove(ref));
  }

  /** Answers the last lines: main1's, or those of the container because of which it never started. */
  async keepLogs(session: Session): Promise<readonly string[]> {
    const { store } = this.#parts;
    const told = new Map<string, readonly string[]>();
    for (const ref of await this.#those(session, ['exited'])) {
      const chunks = await this.#read(ref);
      await store.keepLog(ref, gzipSync(Buffer.concat(chunks.map(encodeChunk)), { level: 1 }));
      told.set(ref.container, lastLines(chunks, LAST_LINES));
    }
    const failed = session.subs.find(({ state }) => state === 'ended')?.name ?? '';
    return told.get(MAIN) ?? told.get(failed) ?? [];
  }

  async #read(ref: ContainerRef): Promise<readonly KeptChunk[]> {
    const { runtime, keptLogBytes } = this.#parts;
    const chunks: KeptChunk[] = [];
    let bytes = 0;
    for await (const chunk of runtime.logs(ref, { follow: false, signal: AbortSignal.timeout(60_000) })) {
      chunks.push(chunk);
      bytes += chunk.data.length;
      while (bytes > keptLogBytes && chunks.length > 1) bytes -= chunks.shift()?.data.length ?? 0;
    }
    return chunks;
  }

  /** A single container was looked at just now; of several each may be at another point, or not be heard of. */
  async #those(session: Session, phases: readonly Observed['phase'][]): Promise<readonly ContainerRef[]> {
    const refs = containersOf(session);
    if (refs.length === 1) return refs;
    const seen = await Promise.all(refs.map((ref) => this.#parts.runtime.inspect(ref)));
    return seen.filter(({ phase, silent }) => phases.includes(phase) && silent === undefined).map(({ ref }) => ref);
  }
}

async function each(session: Session, refs: readonly ContainerRef[], work: (ref: ContainerRef) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(refs.map(work));
  for (const [index, result] of results.entries())
    if (result.status === 'rejected') throw session.spec.cluster === undefined ? result.reason : named(result.reason, refs[index]);
}

/** Whose failure it was. */
function named(error: unknown, ref: ContainerRef | undefined): unknown {
  if (!(error instanceof RuntimeError) || error.kind === 'unreachable' || ref === undefined) return error;
  const { failure, kind } = error;
  return new RuntimeError(kind, { ...failure, message: `${ref.container}: ${failure.message}` }, { cause: error });
}
