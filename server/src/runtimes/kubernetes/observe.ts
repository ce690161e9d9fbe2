import type { CoreV1Event, V1ContainerStateTerminated, V1Node, V1PersistentVolumeClaim, V1Pod } from '@kubernetes/client-node';
import type { ContainerRef, Observed } from '../runtime.ts';
import { admissionFailure, bootstrapFailure, deletedByOthers, endFailure, podFailure } from './failures.ts';
import { instant } from './instant.ts';
import { isBootstrapping, mainState } from './main-container.ts';
import { ANNOTATION } from './names.ts';
import { preparationOf } from './waiting.ts';
import { STARTED } from './watch-starts.ts';

/** What the pod alone does not say. Lists that may not be read are left out. */
export interface Evidence {
  readonly now: Date;
  /** Of this pod. */
  readonly events?: readonly CoreV1Event[];
  readonly nodes?: readonly V1Node[];
  /** Of the whole cluster. */
  readonly pods?: readonly V1Pod[];
  /** Of the sessions' namespace. */
  readonly claims?: readonly V1PersistentVolumeClaim[];
}

/** The cluster's words in ours. */
export function observe(ref: ContainerRef, pod: V1Pod | undefined, evidence: Evidence): Observed {
  if (pod === undefined) return { ref, phase: 'absent' };
  const node = pod.spec?.nodeName;
  const seen = { ref, ...(node !== undefined && { node }) };
  const ended = endOf(pod, evidence.now);
  if (ended !== undefined) return { ...seen, ...ended };
  const life = alive(pod, evidence);
  const silent = life.phase === 'exited' ? undefined : silenceOf(pod, evidence);
  return { ...seen, ...life, ...(silent && { silent }) };
}

type Life = Omit<Observed, 'ref' | 'node' | 'silent'>;

/** Undefined while it has not ended, as far as anybody can tell. */
function endOf(pod: V1Pod, now: Date): Life | undefined {
  const state = mainState(pod);
  if (state.terminated) return terminated(pod, state.terminated);
  if (pod.status?.phase !== 'Failed' && pod.status?.phase !== 'Succeeded') return undefined;
  // The pod is given up before its process has had its grace, and old kubelets never tell how that ended.
  if (state.running && pod.status.reason === 'DeadlineExceeded' && now.getTime() < certainEnd(pod)) return undefined;
  if (INTERRUPTIONS.has(pod.status.reason ?? '')) return lost(pod, { interrupted: true });
  const cause = podFailure(pod) ?? admissionFailure(pod);
  return lost(pod, cause === undefined ? {} : { cause });
}

/** Long enough after our stop that the kubelet has killed it. */
function certainEnd(pod: V1Pod): number {
  const stoppedAt = annotated(pod, ANNOTATION.stoppedAt);
  if (stoppedAt === undefined) return 0;
  return stoppedAt.getTime() + ((pod.spec?.terminationGracePeriodSeconds ?? 30) + KUBELET_SECONDS) * 1000;
}
const KUBELET_SECONDS = 10;

/** It ended, and nobody knows its exit code. */
function lost(pod: V1Pod, why: Pick<Life, 'cause' | 'interrupted'>): Life {
  const startedAt = annotated(pod, ANNOTATION.startedAt);
  return { phase: 'exited', ...(startedAt && { startedAt }), ...why };
}

/** The machine was shut down or lost the container; the process did not end by itself. */
const INTERRUPTIONS: ReadonlySet<string> = new Set(['Shutdown', 'NodeShutdown', 'Terminated', 'Unknown', 'ContainerStatusUnknown']);
const NEVER_RAN: ReadonlySet<string> = new Set(['StartError', 'ContainerCannotRun']);

function terminated(pod: V1Pod, state: V1ContainerStateTerminated): Life {
  const cause = endFailure(pod, state) ?? podFailure(pod) ?? deletion(pod, state) ?? bootstrapFailure(state);
  if (NEVER_RAN.has(state.reason ?? '')) return { phase: 'exited', ...(cause && { cause }) };
  const startedAt = annotated(pod, ANNOTATION.startedAt) ?? instant(state.startedAt);
  const finishedAt = instant(state.finishedAt);
  const times = { ...(startedAt && { startedAt }), ...(finishedAt && { finishedAt }) };
  // What is told as its exit code is a made-up one then.
  if (INTERRUPTIONS.has(state.reason ?? '') || INTERRUPTIONS.has(pod.status?.reason ?? ''))
    return { phase: 'exited', ...times, interrupted: true };
  return { phase: 'exited', exitCode: state.exitCode, ...times, ...(cause && { cause }) };
}

/** Somebody deleted the pod while its process ran, without having told it to end through Berth. */
function deletion(pod: V1Pod, { finishedAt }: V1ContainerStateTerminated): Life['cause'] {
  const due = instant(pod.metadata?.deletionTimestamp);
  const end = instant(finishedAt);
  if (due === undefined || end === undefined || annotated(pod, ANNOTATION.stoppedAt) !== undefined) return undefined;
  const askedAt = due.getTime() - (pod.metadata?.deletionGracePeriodSeconds ?? 0) * 1000;
  return end.getTime() >= askedAt ? deletedByOthers : undefined;
}

function alive(pod: V1Pod, evidence: Evidence): Life {
  // Whoever opened its gate was in the container, whatever its kubelet has told so far.
  const letRunAt = annotated(pod, ANNOTATION.startedAt);
  if (letRunAt !== undefined) return { phase: 'running', startedAt: letRunAt, ...(isBootstrapping(pod) && { bootstrapping: true }) };
  const gated = pod.metadata?.annotations?.[ANNOTATION.gate] !== 'none';
  const { running } = mainState(pod);
  if (gated && (running !== undefined || wasStarted(evidence))) return { phase: 'created' };
  if (running !== undefined) {
    const startedAt = instant(running.startedAt);
    return { phase: 'running', ...(startedAt && { startedAt }) };
  }
  const preparation = preparationOf(pod, evidence);
  return 'never' in preparation ? { phase: 'exited', cause: preparation.never } : { phase: 'created', ...preparation };
}

const wasStarted = ({ events = [] }: Evidence): boolean =>
  events.some(({ reason, involvedObject }) => reason === STARTED.reason && involvedObject.fieldPath === STARTED.fieldPath);

/** Silence says nothing about the process: the kubelet, or the way to it, is gone. */
function silenceOf(pod: V1Pod, { nodes, now }: Evidence): Observed['silent'] {
  const name = pod.spec?.nodeName;
  if (name === undefined || nodes === undefined || nodes.length === 0) return undefined;
  const node = nodes.find(({ metadata }) => metadata?.name === name);
  if (node === undefined) return { since: lastHeard(pod) ?? now, message: `its node ${name} is no longer part of the cluster` };
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status !== 'Unknown') return undefined;
  const since = instant(ready.lastTransitionTime) ?? now;
  return { since, message: `its node ${name} has not answered since ${since.toISOString()}` };
}

/** When the cluster called the pod not ready because its node fell silent. */
function lastHeard(pod: V1Pod): Date | undefined {
  const ready = pod.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' ? instant(ready.lastTransitionTime) : undefined;
}

const annotated = (pod: V1Pod, name: string): Date | undefined => instant(pod.metadata?.annotations?.[name]);
