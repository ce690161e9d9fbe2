import type { Cause } from '@berth/contract';
import type { CoreV1Event, V1ContainerStateTerminated, V1ContainerStateWaiting, V1Pod } from '@kubernetes/client-node';
import {
  bootstrapFailed,
  commandNotFound,
  imageCause,
  imageInvalid,
  imageNotHere,
  isDiskFull,
  noShell,
  noShellForBootstrap,
  notExecutable,
  outOfMemory,
  wrongMachine,
} from '../causes.ts';
import { failureToExecute } from '../bootstrap-step.ts';
import { endedInBootstrap, programIn } from './gate.ts';
import { mainContainer, runsBootstrap } from './main-container.ts';
import { ANNOTATION } from './names.ts';
import { amountOf } from './quantity.ts';

/** What kubelets put before what went wrong. */
const PREFIXES =
  /^(?:Error: |ErrImagePull: |Failed to pull image "[^"]*": |rpc error: code = \w+ desc = |failed to pull and unpack image "[^"]*": |failed to resolve reference "[^"]*": |failed to (?:do request|create containerd task|create shim task|start container "[^"]*"|create containerd container): |OCI runtime create failed: |runc create failed: |unable to start container process: )+/;

/** A kubelet's sentence without the names of the functions it came through. */
export const essenceOf = (said: string): string =>
  said
    .trim()
    .replace(PREFIXES, '')
    .replace(/: unknown$/, '')
    .trim();

const imageOf = (pod: V1Pod): string => mainContainer(pod)?.image ?? '';

/** Why its image cannot be had; undefined where nothing was heard of a failure. */
export function imageFailure(pod: V1Pod, waiting: V1ContainerStateWaiting, events: readonly CoreV1Event[]): Cause | undefined {
  const image = imageOf(pod);
  const told = waiting.message ?? '';
  switch (waiting.reason) {
    case 'ErrImageNeverPull':
      return imageNotHere(image);
    case 'InvalidImageName':
      return {
        ...imageInvalid(image, essenceOf(told.replace(/^.*couldn't parse image reference "[^"]*": /s, ''))),
        remedy: 'Check its name and tag.',
      };
    case 'ErrImagePull':
    case 'RegistryUnavailable':
      return pullFailure(image, essenceOf(told));
    case 'ImagePullBackOff': {
      // Old kubelets say only that they wait; what for is in an earlier event.
      const failed =
        told.split('ErrImagePull: ')[1] ??
        events.findLast(({ reason, message }) => reason === 'Failed' && message?.startsWith('Failed to pull'))?.message;
      return pullFailure(image, essenceOf(failed ?? 'the node does not say why'));
    }
    default:
      return undefined;
  }
}

const pullFailure = (image: string, said: string): Cause => {
  const cause = imageCause(image, said);
  return isDiskFull(said) ? { ...cause, remedy: FREE_DISK } : cause;
};
const FREE_DISK = "Whoever runs the cluster must free space on the node's disk.";

/** Why its main process could not be started, or was ended by somebody else than itself. */
export function endFailure(pod: V1Pod, ended: V1ContainerStateTerminated): Cause | undefined {
  if (ended.reason === 'StartError' || ended.reason === 'ContainerCannotRun') return startFailure(pod, ended.message ?? '');
  // The flag alone is set by the death of a child, too: the main process must have died of it.
  if (ended.reason === 'OOMKilled' && ended.exitCode === 137) return outOfMemory(limitOf(pod));
  return gateFailure(ended);
}

function limitOf(pod: V1Pod): { memoryBytes: number; reserved: boolean } {
  const { limits, requests } = mainContainer(pod)?.resources ?? {};
  const memoryBytes = amountOf(limits?.['memory']);
  return { memoryBytes, reserved: amountOf(requests?.['memory']) === memoryBytes };
}

/** The gate is a shell that knows better than its exit code. */
function gateFailure({ message, exitCode }: V1ContainerStateTerminated): Cause | undefined {
  const failure = failureToExecute(message);
  if (failure?.code !== exitCode) return undefined;
  return failure.code === 126 ? notExecutable(failure.program) : commandNotFound(failure.program);
}

/** What could not be executed is the gate's shell, unless the pod has no gate. */
function startFailure(pod: V1Pod, message: string): Cause {
  const said = essenceOf(message);
  const atGate = pod.metadata?.annotations?.[ANNOTATION.gate] !== 'none';
  const [program] = programIn(mainContainer(pod) ?? {});
  if (/exec format error/i.test(said)) return atGate ? wrongMachine(imageOf(pod), said) : notExecutable(String(program));
  if (!/^exec: |executable file/i.test(said) || program === undefined) return startFailed(said);
  if (/not found|no such file or directory/i.test(said)) return atGate ? missingShell(pod) : commandNotFound(program);
  return /permission denied|is a directory/i.test(said) ? notExecutable(program) : startFailed(said);
}

const missingShell = (pod: V1Pod): Cause => (runsBootstrap(pod) ? noShellForBootstrap : noShell);

export const startFailed = (said: string): Cause => ({
  code: isDiskFull(said) ? 'disk-full' : 'start-failed',
  message: `the container could not be started: ${said}`,
  remedy: isDiskFull(said) ? FREE_DISK : 'If the reason does not help, ask whoever runs the cluster.',
});

/** Why the kubelet or the cluster gave up the whole pod; undefined for a reason that is no failure: a stop of ours. */
export function podFailure(pod: V1Pod): Cause | undefined {
  const { reason, message } = pod.status ?? {};
  const node = pod.spec?.nodeName ?? 'its node';
  const said = (message ?? '').trim().replace(/\.$/, '');
  if (reason === 'DeadlineExceeded') return undefined;
  if (reason === 'Evicted' || reason === 'Preempting') return evicted(node, said);
  if (reason?.startsWith('OutOf')) {
    return { code: 'unschedulable', message: `${node} had no room for it after all: ${said}`, remedy: 'Create the session again.' };
  }
  const disruption = pod.status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (disruption?.reason === 'DeletionByPodGC') return nodeGone(node);
  if (disruption !== undefined) return evicted(node, disruption.message ?? disruption.reason ?? said);
  return reason === 'NodeLost' ? nodeGone(node) : undefined;
}

/** It came to its end before its command had begun, and nobody else is to blame. */
export const bootstrapFailure = ({ message, exitCode }: V1ContainerStateTerminated): Cause | undefined =>
  endedInBootstrap(message) ? bootstrapFailed(exitCode) : undefined;

/** The kubelet would not have the pod that the scheduler gave it. */
export function admissionFailure({ status }: V1Pod): Cause | undefined {
  if (status?.reason === undefined || status.reason === 'DeadlineExceeded') return undefined;
  return startFailed(status.message?.trim() || status.reason);
}

function evicted(node: string, said: string): Cause {
  const memory = /low on resource: memory|MemoryPressure/.test(said);
  return {
    code: 'evicted',
    message: `${node} put it out: ${said === '' ? 'it does not say why' : said}`,
    remedy: memory
      ? 'Reserve memory with --memory: sessions that use more than they reserved are the first to go.'
      : /storage|disk|emptydir/i.test(said)
        ? 'Write less outside the home folder and storages; then create the session again.'
        : 'Create the session again.',
  };
}

const nodeGone = (node: string): Cause => ({
  code: 'node-lost',
  message: `node lost: ${node} is no longer part of the cluster`,
  remedy: 'create the session again: files in the home folder are kept where storages outlive a node',
});

export const deletedByOthers: Cause = {
  code: 'container-lost',
  message: 'its container was ended: somebody outside Berth deleted its pod',
  remedy: 'files in the home folder are kept; create the session again',
};
