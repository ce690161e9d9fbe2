import type { Session, SessionSpec } from './session.ts';

/** A session for tests of the pure rules: interactive, one reserved CPU, just asked for. */
export const EXAMPLE_SPEC: SessionSpec = {
  image: 'berth/base:latest',
  pull: 'missing',
  command: [],
  keepEntrypoint: false,
  tty: true,
  stdin: 'open',
  env: {},
  cpu: 1,
  gpu: 0,
  memoryBytes: null,
  sharedMemoryBytes: null,
  node: null,
  egress: 'open',
  port: null,
  workDir: null,
  pendingTimeoutMs: null,
};

export const T0 = new Date('2026-01-01T00:00:00Z');

export function exampleSession(changes: Partial<Session> = {}): Session {
  return {
    id: '0190f5a0-0000-7000-8000-000000000001',
    name: 'example',
    ownerId: 'u1',
    ownerName: 'alice',
    projectId: 'p1',
    projectName: 'alice',
    type: 'interactive',
    spec: EXAMPLE_SPEC,
    revision: 1,
    wanted: 'running',
    wish: 1,
    restartWish: 0,
    state: 'pending',
    stateSince: T0,
    reason: 'asked for',
    restartServed: 0,
    generation: 0,
    attempts: 0,
    grant: null,
    imageDigest: null,
    processStartedAt: null,
    frozen: false,
    willStopAt: null,
    ending: null,
    logsKept: false,
    waiting: null,
    timeline: [{ step: 'queue', startedAt: T0.toISOString(), endedAt: null, detail: null }],
    restarts: 0,
    lastLog: [],
    createdAt: T0,
    startedAt: null,
    endedAt: null,
    ...changes,
  };
}
