import { IMAGE as CLUSTER_IMAGE, KUBECONFIG } from '../runtimes/kubernetes/cluster-bed.ts';
import type { Ground } from './berth-process.ts';
import { ENGINES } from './engines.ts';

/** What sessions run on. */
export interface Platform {
  readonly name: string;
  readonly on: Ground;
  readonly image: string;
  /** It places containers by itself, starts none twice, and keeps no memory of one that is paused. */
  readonly orchestrates: boolean;
}

const ENGINE_IMAGE = `docker://${process.env['BERTH_TEST_IMAGE'] ?? 'dev/debian:latest'}`;

export const CLUSTERS: readonly Platform[] =
  KUBECONFIG === undefined
    ? []
    : [{ name: 'Kubernetes', on: { kubeconfig: KUBECONFIG }, image: `docker://${CLUSTER_IMAGE}`, orchestrates: true }];

/** Engines and a cluster. Under CI what is missing is a failure, never a skip. */
export const PLATFORMS: readonly Platform[] = [
  ...ENGINES.map(({ name, host }) => ({ name, on: { dockerHost: host }, image: ENGINE_IMAGE, orchestrates: false })),
  ...CLUSTERS,
];
