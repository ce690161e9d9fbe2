import type { V1Container, V1ContainerState, V1Pod } from '@kubernetes/client-node';
import { MAIN } from './names.ts';

/** Some clusters put containers of their own into every pod. */
export const mainContainer = (pod: V1Pod): V1Container | undefined => pod.spec?.containers.find(({ name }) => name === MAIN);

/** Until its startup probe has succeeded, a container is at its bootstrap script. */
export const runsBootstrap = (pod: V1Pod): boolean => mainContainer(pod)?.startupProbe !== undefined;
export const isBootstrapping = (pod: V1Pod): boolean =>
  runsBootstrap(pod) && pod.status?.containerStatuses?.find(({ name }) => name === MAIN)?.started !== true;

/** Empty before its kubelet has told of it. */
export const mainState = (pod: V1Pod): V1ContainerState => pod.status?.containerStatuses?.find(({ name }) => name === MAIN)?.state ?? {};
