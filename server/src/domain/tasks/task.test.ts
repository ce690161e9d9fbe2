import { describe, expect, test } from 'vitest';
import { isOver, taskAt, type Task } from './task.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const running: Task = {
  id: 't',
  ownerId: 'u',
  name: 'commit train as an image',
  state: 'running',
  progress: { current: 1, total: 3, message: 'saving' },
  updatedAt: at(0),
  endedAt: null,
};

describe('a background task', () => {
  test('runs while its server says so', () => {
    expect(taskAt(running, at(59))).toBe(running);
    expect(isOver(running)).toBe(false);
  });
  test('has failed when its server has been silent, and says what to do; how far it was is kept', () => {
    const lost = taskAt(running, at(60));
    expect(lost).toMatchObject({ state: 'failed', endedAt: at(0), progress: { current: 1, total: 3 } });
    expect(lost.progress.message).toContain('ask for it again');
    expect(isOver(lost)).toBe(true);
  });
  test('that has ended stays as it ended', () => {
    const done: Task = { ...running, state: 'done', endedAt: at(1) };
    expect(taskAt(done, at(100_000))).toBe(done);
  });
});
