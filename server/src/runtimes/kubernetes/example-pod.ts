import type { CoreV1Event, V1Container, V1ContainerState, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { expect } from 'vitest';
import type { Observed } from '../runtime.ts';
import { observe, type Evidence } from './observe.ts';

/** For tests. What pods and kubelets say is recorded from a real cluster (Kubernetes 1.20, containerd 1.6) and shortened. */
export const ref = { sessionId: 's', generation: 1, container: 'main1' };
export const at = (time: string): Date => new Date(`2026-11-20T${time}Z`);
export const now = at('10:23:00');
export const startedAt = at('10:22:19');
export const finishedAt = at('10:22:22');
export const OPENED = { 'berth.started-at': startedAt.toISOString() };
export const UNGATED = { 'berth.gate': 'none' };

export interface Sketch {
  readonly image?: string;
  readonly annotations?: Record<string, string>;
  readonly container?: Partial<V1Container>;
  readonly state?: V1ContainerState;
  /** Its startup probe has succeeded. */
  readonly started?: boolean;
  readonly status?: Pick<V1PodStatus, 'phase' | 'reason' | 'message' | 'conditions'>;
  readonly deletion?: { at: Date; graceSeconds: number };
}

export function pod({ image = 'berth/base:latest', annotations = {}, container, state, started = false, status, deletion }: Sketch): V1Pod {
  return {
    metadata: {
      name: 'berth-s-g1-main1',
      namespace: 'berth',
      creationTimestamp: at('10:22:17'),
      annotations,
      ...(deletion && { deletionTimestamp: deletion.at, deletionGracePeriodSeconds: deletion.graceSeconds }),
    },
    spec: { nodeName: 'n1', terminationGracePeriodSeconds: 5, containers: [{ name: 'main', image, ...container }] },
    status: {
      phase: 'Pending',
      startTime: at('10:22:17'),
      ...(state && { containerStatuses: [{ name: 'main', image, imageID: '', ready: false, started, restartCount: 0, state }] }),
      ...status,
    },
  };
}

export const event = (reason: string, message: string, time: string, type = 'Warning'): CoreV1Event => ({
  metadata: {},
  involvedObject: {},
  type,
  reason,
  message,
  firstTimestamp: at(time),
  lastTimestamp: at(time),
  source: { component: 'kubelet' },
});

export const see = (sketch: Sketch, evidence: Partial<Evidence> = {}): Omit<Observed, 'ref' | 'node'> => {
  const { ref: seenRef, node, ...seen } = observe(ref, pod(sketch), { now, ...evidence });
  expect({ seenRef, node }).toEqual({ seenRef: ref, node: 'n1' });
  return seen;
};

export const waiting = (reason: string, message?: string): V1ContainerState => ({ waiting: { reason, ...(message && { message }) } });
export const terminated = (exitCode: number, reason: string, message?: string): V1ContainerState => ({
  terminated: { exitCode, reason, startedAt, finishedAt, ...(message && { message }) },
});
export const startError = (why: string): V1ContainerState => ({
  terminated: {
    exitCode: 128,
    reason: 'StartError',
    message: `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${why}: unknown`,
    startedAt: new Date('1970-01-01T00:00:00Z'),
    finishedAt,
  },
});
export const failed = { phase: 'Failed' };
