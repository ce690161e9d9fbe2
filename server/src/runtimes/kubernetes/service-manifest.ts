import type { V1PodSpec, V1Service } from '@kubernetes/client-node';
import type { ContainerSpec } from '../runtime.ts';
import { hostNameOf, LABEL, serviceName } from './names.ts';
import type { KubernetesOptions } from './options.ts';

/** By it the containers of a session find each other: no address of its own, only their names. Undefined for a single one. */
export function serviceManifest(spec: ContainerSpec, options: Pick<KubernetesOptions, 'instance' | 'namespace'>): V1Service | undefined {
  if (!hasPeers(spec)) return undefined;
  const labels = {
    [LABEL.instance]: options.instance,
    [LABEL.session]: spec.ref.sessionId,
    [LABEL.generation]: String(spec.ref.generation),
  };
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: serviceName(spec.ref), namespace: options.namespace, labels },
    spec: { clusterIP: 'None', selector: labels, publishNotReadyAddresses: true },
  };
}

/** How a container is called, and where it looks up short names. */
export function namesInPod(
  spec: ContainerSpec,
  options: Pick<KubernetesOptions, 'namespace' | 'clusterDomain'>,
): Pick<V1PodSpec, 'hostname' | 'subdomain' | 'dnsConfig'> {
  if (!hasPeers(spec)) return { hostname: hostNameOf(spec.hostname) };
  const subdomain = serviceName(spec.ref);
  const search = `${subdomain}.${options.namespace}.svc.${options.clusterDomain ?? 'cluster.local'}`;
  return { hostname: hostNameOf(spec.ref.container), subdomain, dnsConfig: { searches: [search] } };
}

const hasPeers = (spec: ContainerSpec): boolean => spec.peers !== undefined && spec.peers.length > 0;
