/** Work that goes on after the request that asked for it was answered. */
export interface Task {
  readonly id: string;
  readonly ownerId: string;
  /** What it does, in words: "commit train as an image". */
  readonly name: string;
  readonly state: 'running' | 'done' | 'failed' | 'cancelled';
  readonly progress: TaskProgress;
  /** The latest sign of life of the server that does it. */
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
}

export interface TaskProgress {
  /** In whatever is counted; a total of 0: nobody knows how much there is. */
  readonly current: number;
  readonly total: number;
  /** What it is at; of one that has ended: how it ended. */
  readonly message: string;
}

/** A server says so often that it is at it … */
export const TASK_SIGN_OF_LIFE_MS = 15_000;
/** … and is taken for dead after this. */
const SILENCE_MS = 4 * TASK_SIGN_OF_LIFE_MS;
/** How long the end of a task can be asked for. */
export const TASK_KEPT_MS = 86_400_000;

/** As it is to be told at `now`: what a server that died was at has failed. */
export function taskAt(task: Task, now: Date): Task {
  if (task.state !== 'running' || now.getTime() - task.updatedAt.getTime() < SILENCE_MS) return task;
  const message = 'the server that did this has ended: ask for it again';
  return { ...task, state: 'failed', endedAt: task.updatedAt, progress: { ...task.progress, message } };
}

export const isOver = ({ state }: Task): boolean => state !== 'running';
