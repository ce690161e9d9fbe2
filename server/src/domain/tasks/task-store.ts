import type { Task, TaskProgress } from './task.ts';

export interface TaskStore {
  /** Forgets, by the way, what ended more than a day ago. */
  create(task: Pick<Task, 'id' | 'ownerId' | 'name'>): Promise<void>;
  /** Also a sign of life. One that has ended stays as it is. */
  progress(id: string, progress: TaskProgress): Promise<void>;
  /** The first end counts. */
  end(id: string, state: 'done' | 'failed' | 'cancelled', message: string): Promise<void>;
  /** As it was written down; `taskAt` tells what to make of it. */
  find(id: string): Promise<Task | undefined>;
}
