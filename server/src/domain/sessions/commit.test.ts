import { describe, expect, test } from 'vitest';
import { commitFailed, committed, isCommitting, newCommit, presentCommit, wantCommit } from './commit.ts';
import { exampleSession, T0 } from './example-session.ts';

const asked = newCommit('c1', 'localhost/berth/alice/tool:1', T0);
const running = exampleSession({ state: 'running' });

describe('an image of a session', () => {
  test('is asked for of one that runs or is paused, and of no other', () => {
    for (const state of ['running', 'paused'] as const) expect(wantCommit(asked)(exampleSession({ state })).commit).toBe(asked);
    for (const state of ['pending', 'preparing', 'terminating', 'terminated', 'error'] as const)
      expect(() => wantCommit(asked)(exampleSession({ state }))).toThrow('runs or is paused');
    expect(() => wantCommit(asked)({ ...running, wanted: 'terminated' })).toThrow('runs or is paused');
  });
  test('is made one at a time; when it has ended, the next may be asked for', () => {
    const busy = { ...running, commit: asked };
    expect(isCommitting(busy)).toBe(true);
    expect(() => wantCommit(asked)(busy)).toThrow('already');
    const done = { ...running, commit: committed(asked, 'sha256:1', T0) };
    expect(wantCommit({ ...asked, id: 'c2' })(done).commit?.id).toBe('c2');
  });
  test('is told as working, done, or failed with the cause', () => {
    const cause = { code: 'disk-full', message: 'the disk is full', remedy: 'free space' } as const;
    expect(presentCommit(running)).toBeNull();
    expect(presentCommit({ ...running, commit: asked })).toMatchObject({
      image: 'docker://localhost/berth/alice/tool:1',
      state: 'working',
    });
    expect(presentCommit({ ...running, commit: committed(asked, 'sha256:1', T0) })).toMatchObject({ state: 'done', digest: 'sha256:1' });
    expect(presentCommit({ ...running, commit: commitFailed(asked, cause, T0) })).toMatchObject({
      state: 'failed',
      message: 'the disk is full: free space',
    });
  });
  test('that was under way when its session ended has failed', () => {
    const ended = exampleSession({ state: 'terminated', endedAt: T0, commit: asked });
    expect(presentCommit(ended)).toMatchObject({ state: 'failed', endedAt: T0.toISOString() });
  });
});
