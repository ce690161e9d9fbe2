import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { FileRefusal } from '../../domain/files/file-refusal.ts';
import { parseEntries, type Entries } from '../../domain/files/folder-entries.ts';
import { FILE_LIMITS } from '../../domain/files/limits.ts';
import type { Found, Reading, SessionFiles, Writing } from '../../domain/files/session-files.ts';
import type { WorkPath } from '../../domain/files/work-path.ts';
import { containerOf } from '../../domain/sessions/container-plan.ts';
import type { Session } from '../../domain/sessions/session.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { LIST, READ, WRITE } from './scripts.ts';
import { ScriptRun } from './script-run.ts';

type Limits = { readonly [K in keyof typeof FILE_LIMITS]: number };
/** An entry takes at most its name, which is 255 bytes, the mark and a few numbers. */
const BYTES_PER_ENTRY = 512;

/** Files of sessions by nothing but exec: a shell, the usual programs, tar for folders. */
export class ContainerFiles implements SessionFiles {
  readonly #runtime: Runtime;
  readonly #limits: Limits;

  constructor(runtime: Runtime, limits: Limits = FILE_LIMITS) {
    this.#runtime = runtime;
    this.#limits = limits;
  }

  async read(session: Session, { path, naming, signal }: Reading): Promise<Found> {
    const run = await this.#run(session, path, { script: READ, args: [naming], signal });
    try {
      const [kind, size, modified, mode] = await run.answer();
      if (kind === 'folder') return { kind, content: outgoing(run, archive(run, path, this.#limits.bytes)) };
      if (kind !== 'file') throw new FileRefusal('interrupted', path.text);
      if (!(Number(size) <= this.#limits.bytes)) throw new FileRefusal('too-large', path.text);
      return {
        kind,
        size: Number(size),
        executable: (Number.parseInt(mode ?? '', 8) & 0o111) !== 0,
        modifiedAt: new Date(Number(modified) * 1000),
        content: outgoing(run, exactly(run, path, Number(size))),
      };
    } catch (error) {
      run.close();
      throw error;
    }
  }

  async write(session: Session, { path, content, executable, signal }: Writing): Promise<number> {
    const mark = newMark();
    const run = await this.#run(session, path, { script: WRITE, args: [mark, executable ? 'yes' : 'no'], signal });
    const answer = run.answer();
    const feeding = run.feed(marked(content, mark, { path, limit: this.#limits.bytes }));
    // The one that fails first is heard; the other fails for that reason.
    for (const attempt of [answer, feeding]) attempt.catch(() => undefined);
    try {
      const [word, size] = await Promise.race([answer, feeding.then(() => answer)]);
      if (word !== 'done') throw new FileRefusal('interrupted', path.text);
      await run.finished();
      return Number(size);
    } finally {
      run.close();
    }
  }

  async list(session: Session, path: WorkPath, signal: AbortSignal): Promise<Entries> {
    const mark = newMark();
    const { entries: limit } = this.#limits;
    const run = await this.#run(session, path, { script: LIST, args: [mark, String(limit)], signal });
    try {
      await run.answer();
      const printed: Buffer[] = [];
      let left = limit * BYTES_PER_ENTRY;
      for await (const chunk of run.rest()) {
        left -= chunk.length;
        if (left < 0) throw new FileRefusal('interrupted', path.text);
        printed.push(chunk);
      }
      await run.finished();
      return parseEntries(Buffer.concat(printed).toString('utf8'), mark);
    } finally {
      run.close();
    }
  }

  #run(
    session: Session,
    path: WorkPath,
    what: { readonly script: string; readonly args: readonly string[]; readonly signal: AbortSignal },
  ): Promise<ScriptRun> {
    const args = [path.root ?? '', ...what.args, ...path.names];
    return ScriptRun.start(this.#runtime, containerOf(session), { ...what, args, path: path.text, limits: this.#limits });
  }
}

/** No name and no content holds it by chance. */
const newMark = (): string => randomBytes(16).toString('hex');

const outgoing = (run: ScriptRun, source: AsyncGenerator<Buffer>): Readable =>
  Readable.from(source, { objectMode: false }).once('close', () => run.close());

/** As much as was announced: a file that grows is sent as it was. */
async function* exactly(run: ScriptRun, path: WorkPath, size: number): AsyncGenerator<Buffer> {
  let left = size;
  for await (const chunk of run.rest()) {
    if (left === 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    yield part;
  }
  if (left > 0) throw new FileRefusal('changed', path.text);
}

async function* archive(run: ScriptRun, path: WorkPath, limit: number): AsyncGenerator<Buffer> {
  let left = limit;
  for await (const chunk of run.rest()) {
    left -= chunk.length;
    if (left < 0) throw new FileRefusal('too-large', path.text);
    yield chunk;
  }
  await run.finished();
}

/** The mark behind it says that it is whole: where a connection breaks, the script sees no more than an end. */
async function* marked(
  content: AsyncIterable<Buffer>,
  mark: string,
  { path, limit }: { path: WorkPath; limit: number },
): AsyncGenerator<Buffer> {
  let left = limit;
  for await (const chunk of content) {
    left -= chunk.length;
    if (left < 0) throw new FileRefusal('too-large', path.text);
    yield chunk;
  }
  yield Buffer.from(mark);
}
