import { ProblemError } from '@berth/contract';
import type { TaskStore } from '../domain/tasks/task-store.ts';
import { TASK_SIGN_OF_LIFE_MS, type TaskProgress } from '../domain/tasks/task.ts';
import { asProblem } from './problems.ts';

/** Progress may come as fast as it likes; it is written down so often. */
const WRITE_EVERY_MS = 500;
const NOTHING_YET: TaskProgress = { current: 0, total: 0, message: '' };

export interface TaskContext {
  /** May be called as often as there is something to tell. */
  readonly report: (progress: TaskProgress) => void;
  /** Fires when the server stops. */
  readonly signal: AbortSignal;
}
type Work = (context: TaskContext) => Promise<string>;

interface Deps {
  readonly store: TaskStore;
  readonly newId: () => string;
  readonly log: { warn(fields: object, message: string): void };
}

/** Runs what takes longer than a request, and writes down how it goes, for whichever server is asked. */
export class BackgroundTasks {
  readonly store: TaskStore;
  readonly #newId: Deps['newId'];
  readonly #log: Deps['log'];
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor({ store, newId, log }: Deps) {
    this.store = store;
    this.#newId = newId;
    this.#log = log;
  }

  /** Answers the task's id as soon as it is written down. What `work` answers is its last message; what it throws, its failure. */
  async start(about: { readonly ownerId: string; readonly name: string }, work: Work): Promise<string> {
    if (this.#stopping.signal.aborted) throw new ProblemError('shutting-down', 'this server is stopping: try again in a moment');
    const id = this.#newId();
    await this.store.create({ id, ...about });
    const running = this.#run(id, work).catch((err: unknown) => this.#log.warn({ err, task: id }, 'the end of a task was not written down'));
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    return id;
  }

  /** Gives up what is under way, and waits until that is written down. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async #run(id: string, work: Work): Promise<void> {
    const { signal } = this.#stopping;
    let [latest, told, toldAt] = [NOTHING_YET, NOTHING_YET, performance.now()];
    const tell = (): void => {
      if (latest === told && performance.now() - toldAt < TASK_SIGN_OF_LIFE_MS) return;
      [told, toldAt] = [latest, performance.now()];
      this.store.progress(id, latest).catch((err: unknown) => this.#log.warn({ err, task: id }, 'progress was not written down'));
    };
    const timer = setInterval(tell, WRITE_EVERY_MS);
    try {
      const message = await orStopped(work({ report: (progress) => void (latest = progress), signal }), signal);
      await this.store.progress(id, latest);
      await this.store.end(id, 'done', message);
    } catch (error) {
      await this.store.end(id, 'failed', signal.aborted ? 'the server was stopped: ask for it again' : this.#wordsOf(id, error));
    } finally {
      clearInterval(timer);
    }
  }

  #wordsOf(id: string, error: unknown): string {
    const problem = asProblem(error);
    if (problem.status >= 500) this.#log.warn({ err: error, task: id }, 'a task failed');
    return problem.message;
  }
}

/** What does not heed the signal is not waited for. */
async function orStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new Error('the server stops'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
