import type { V1NetworkPolicy, V1NetworkPolicyEgressRule, V1NetworkPolicyPeer, V1Pod } from '@kubernetes/client-node';
import { INTERNAL_IPV4, INTERNAL_IPV6 } from '../../domain/network/internal-ranges.ts';
import type { ContainerSpec } from '../runtime.ts';
import { ANNOTATION, LABEL, labelsOf, labelsOfRef, networkPolicyName } from './names.ts';
import type { KubernetesOptions } from './options.ts';

type Options = Pick<KubernetesOptions, 'instance' | 'namespace' | 'gateway' | 'egressAllow' | 'clusterRanges' | 'dnsRange'>;

/** What of a container decides about its walls. */
export type Walled = Pick<ContainerSpec, 'ref' | 'owner' | 'project' | 'egress' | 'peers'>;

/** Nothing gets in but the gateway and the session's own containers, and nothing out but what the session's egress says. */
export function networkPolicyManifest(spec: Walled, options: Options): V1NetworkPolicy {
  const siblings = siblingsOf(spec, options);
  const ingress = [...gatewayPeer(options), ...siblings];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: networkPolicyName(spec.ref), namespace: options.namespace, labels: labelsOf(spec, options.instance) },
    spec: {
      podSelector: { matchLabels: labelsOfRef(spec.ref, options.instance) },
      policyTypes: ['Ingress', 'Egress'],
      // A rule without a peer would let everybody in.
      ingress: ingress.length === 0 ? [] : [{ _from: ingress }],
      egress: [
        ...(siblings.length === 0 ? [] : [{ to: siblings }]),
        // Containers of a sealed session still find each other by name.
        ...(spec.egress === 'open' || siblings.length > 0 ? [resolverRule(options)] : []),
        ...(spec.egress === 'open' ? [{ to: openPeers(options) }] : []),
      ],
    },
  };
}

/** As its pod remembers it. */
export function walledBy({ metadata }: V1Pod, ref: Walled['ref']): Walled {
  const remembered = metadata?.annotations ?? {};
  const peers = remembered[ANNOTATION.peers];
  return {
    ref,
    owner: remembered[ANNOTATION.owner] ?? '',
    project: remembered[ANNOTATION.project] ?? '',
    egress: remembered[ANNOTATION.egress] === 'open' ? 'open' : 'none',
    ...(peers !== undefined && { peers: peers.split(',') }),
  };
}

function siblingsOf(spec: Walled, { instance }: Options): V1NetworkPolicyPeer[] {
  if (spec.peers === undefined || spec.peers.length === 0) return [];
  return [{ podSelector: { matchLabels: { [LABEL.instance]: instance, [LABEL.session]: spec.ref.sessionId } } }];
}

/** Both selectors in one peer: pods with these labels in namespaces with those. Without any there is no peer. */
function gatewayPeer({ gateway: { namespaceLabels, podLabels } }: Options): V1NetworkPolicyPeer[] {
  if (namespaceLabels === undefined && podLabels === undefined) return [];
  return [
    {
      ...(namespaceLabels && { namespaceSelector: { matchLabels: { ...namespaceLabels } } }),
      ...(podLabels && { podSelector: { matchLabels: { ...podLabels } } }),
    },
  ];
}

const resolverRule = ({ dnsRange }: Options): V1NetworkPolicyEgressRule => ({
  to: [
    dnsRange === undefined
      ? { namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }
      : { ipBlock: { cidr: networkOf(dnsRange) } },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
});

function openPeers({ egressAllow, clusterRanges }: Options): V1NetworkPolicyPeer[] {
  const known: readonly string[] = [...INTERNAL_IPV4, ...INTERNAL_IPV6];
  const ranges = clusterRanges.map(networkOf).filter((range) => !known.includes(range));
  return [
    { ipBlock: { cidr: '0.0.0.0/0', except: [...INTERNAL_IPV4, ...ranges.filter((range) => !isIPv6(range))] } },
    { ipBlock: { cidr: '::/0', except: [...INTERNAL_IPV6, ...ranges.filter(isIPv6)] } },
    ...egressAllow.map((range) => ({ ipBlock: { cidr: networkOf(range) } })),
  ];
}

const isIPv6 = (range: string): boolean => range.includes(':');
const networkOf = (range: string): string => (range.includes('/') ? range : `${range}/${isIPv6(range) ? 128 : 32}`);
