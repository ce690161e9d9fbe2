import { formatDuration, type Cause } from '@berth/contract';
import type { CoreV1Event, V1ContainerStateWaiting, V1Pod } from '@kubernetes/client-node';
import type { Waiting } from '../runtime.ts';
import { imageFailure, essenceOf, startFailed } from './failures.ts';
import { instant } from './instant.ts';
import { mainState } from './main-container.ts';
import type { Evidence } from './observe.ts';
import { roomReasons } from './room.ts';
import { storageHolder } from './storage-holder.ts';

/** How far a pod is whose process cannot be let run yet; `cause`: the last failure of what is tried again. */
export type Preparation = { readonly never: Cause } | { readonly waiting: Waiting; readonly cause?: Cause };

export function preparationOf(pod: V1Pod, evidence: Evidence): Preparation {
  if (pod.spec?.nodeName === undefined) return { waiting: { for: 'room', reasons: roomReasons(pod, evidence) } };
  const { waiting = {} } = mainState(pod);
  const failure = imageFailure(pod, waiting, chronological(evidence.events ?? []));
  if (failure?.code === 'image-unreachable' && evidence.now.getTime() - firstFailure(evidence) < PULL_PATIENCE_MS)
    return { waiting: { for: 'image', message: `${failure.message}; it is tried again` }, cause: failure };
  if (failure !== undefined) return { never: failure };
  return waiting.reason?.endsWith('Error') ? hampered(waiting, evidence) : underWay(pod, evidence);
}

/** The kubelet would try for ever. In this time it does so three or four times. */
const PULL_PATIENCE_MS = 45_000;

function firstFailure({ events = [], now }: Evidence): number {
  const failed = events.filter(({ reason, message }) => reason === 'Failed' && message?.startsWith('Failed to pull'));
  return Math.min(now.getTime(), ...failed.map((event) => (instant(event.firstTimestamp) ?? now).getTime()));
}

/** What is wrong in the pod itself stays wrong; only a Secret may be on its way to the node's cache still. */
function hampered({ reason, message = '' }: V1ContainerStateWaiting, { events = [], now }: Evidence): Preparation {
  const said = essenceOf(message) || String(reason);
  const first = chronological(events).find((event) => event.reason === 'Failed' && event.message?.includes(message));
  const since = instant(first?.firstTimestamp) ?? now;
  const patient = now.getTime() - since.getTime() < PATIENCE_MS;
  const hopeless = (reason === 'CreateContainerConfigError' && !patient) || /no command specified/.test(message);
  return hopeless
    ? { never: startFailed(said) }
    : { waiting: { for: 'container', message: `the container cannot be started yet: ${said}; it is tried again` } };
}
const PATIENCE_MS = 30_000;

/** What the kubelet is at tells only its last event. */
function underWay(pod: V1Pod, evidence: Evidence): Preparation {
  const last = chronological(evidence.events ?? []).findLast(
    ({ source, type }) => source?.component !== 'node-controller' || type !== 'Warning',
  );
  if (last?.reason === 'Pulling') {
    const ms = evidence.now.getTime() - timeOf(last);
    return {
      waiting: { for: 'image', message: ms < STEP_MS ? 'pulling the image' : `pulling the image (${formatDuration(ms - (ms % STEP_MS))})` },
    };
  }
  if (last?.type !== 'Warning') return { waiting: { for: 'container', message: 'its container is being made' } };
  const lacking = STORAGE_REASONS.has(last.reason ?? '')
    ? 'its storage is not mounted'
    : (LACKING[last.reason ?? ''] ?? 'its container is not made');
  const held = STORAGE_REASONS.has(last.reason ?? '') ? storageHolder(pod, evidence) : undefined;
  return { waiting: { for: 'container', message: held ?? `${lacking} yet: ${essenceOf(last.message ?? '')}` } };
}
/** Of every change of the message an event is kept. */
const STEP_MS = 5_000;
const STORAGE_REASONS: ReadonlySet<string> = new Set(['FailedMount', 'FailedAttachVolume', 'FailedMapVolume']);
const LACKING: Readonly<Record<string, string>> = {
  FailedCreatePodSandBox: 'its network is not set up',
  NetworkNotReady: 'the network of its node is not set up',
};

const chronological = (events: readonly CoreV1Event[]): readonly CoreV1Event[] => events.toSorted((a, b) => timeOf(a) - timeOf(b));
const timeOf = (event: CoreV1Event): number =>
  (instant(event.lastTimestamp) ?? instant(event.eventTime) ?? instant(event.metadata.creationTimestamp))?.getTime() ?? 0;
