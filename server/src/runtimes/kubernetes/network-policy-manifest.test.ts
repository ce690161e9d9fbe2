import { describe, expect, it } from 'vitest';
import { plainSpec } from '../runtime-conformance.ts';
import type { ContainerSpec } from '../runtime.ts';
import { networkPolicyManifest, walledBy } from './network-policy-manifest.ts';
import { podManifest } from './pod-manifest.ts';

const options = {
  instance: 'here',
  namespace: 'sessions',
  gateway: { namespaceLabels: { name: 'berth' }, podLabels: { app: 'berth' } },
  egressAllow: ['10.1.2.3', '192.168.7.0/24'],
  clusterRanges: ['34.118.224.0/20', '2001:db8::/32', '10.0.0.0/8'],
};
const policyOf = (changes: Partial<ContainerSpec> = {}, more: object = {}) => {
  const spec = plainSpec('image', changes);
  const { podSelector, policyTypes, ingress, egress } = networkPolicyManifest(spec, { ...options, ...more }).spec ?? {};
  return { podSelector, policyTypes, ingress, egress, session: spec.ref.sessionId };
};
const blocks = (policy: ReturnType<typeof policyOf>) =>
  (policy.egress ?? []).flatMap(({ to }) => (to ?? []).flatMap(({ ipBlock }) => ipBlock ?? []));

describe('the network policy of a container', () => {
  it('holds for that container alone', () => {
    const policy = policyOf();
    expect(policy.podSelector?.matchLabels).toEqual({
      'berth.instance': 'here',
      'berth.session': policy.session,
      'berth.generation': '1',
      'berth.container': 'main1',
    });
    expect(policy.policyTypes).toEqual(['Ingress', 'Egress']);
  });

  it('lets the gateway in, and nobody else', () => {
    expect(policyOf().ingress).toEqual([
      {
        _from: [{ namespaceSelector: { matchLabels: { name: 'berth' } }, podSelector: { matchLabels: { app: 'berth' } } }],
      },
    ]);
    expect(policyOf({}, { gateway: {} }).ingress).toEqual([]);
  });

  it('leaves the Internet open, without private networks and the cluster', () => {
    const [four, six] = blocks(policyOf());
    expect(four).toMatchObject({ cidr: '0.0.0.0/0' });
    expect(four?.except).toEqual(expect.arrayContaining(['10.0.0.0/8', '169.254.0.0/16', '34.118.224.0/20']));
    expect(new Set(four?.except).size).toBe(four?.except?.length);
    expect(six?.except).toEqual(expect.arrayContaining(['fc00::/7', 'fe80::/10', '2001:db8::/32']));
  });

  it('opens what the operator named', () => {
    expect(blocks(policyOf()).map(({ cidr }) => cidr)).toEqual(expect.arrayContaining(['10.1.2.3/32', '192.168.7.0/24']));
  });

  it('allows the resolver, by its label or where it is said to be', () => {
    const ports = [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ];
    expect(policyOf().egress).toContainEqual({
      to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
      ports,
    });
    expect(policyOf({}, { dnsRange: '169.254.20.10' }).egress).toContainEqual({ to: [{ ipBlock: { cidr: '169.254.20.10/32' } }], ports });
  });

  it('lets nothing out of a sealed session', () => {
    expect(policyOf({ egress: 'none' }).egress).toEqual([]);
  });

  it('lets the containers of a session to each other, also where it is sealed', () => {
    const policy = policyOf({ egress: 'none', peers: ['sub1'] });
    const siblings = { podSelector: { matchLabels: { 'berth.instance': 'here', 'berth.session': policy.session } } };
    expect(policy.ingress).toEqual([{ _from: [expect.anything(), siblings] }]);
    expect(policy.egress).toContainEqual({ to: [siblings] });
    expect(blocks(policy)).toEqual([]);
  });
});

it.each([{}, { egress: 'none' as const }, { peers: ['sub1', 'sub2'] }])('can be made again from the pod: %o', (changes) => {
  const spec = plainSpec('image', changes);
  const pod = podManifest(spec, { ...options, storage: { kind: 'none' }, gpuResource: 'gpu', pools: [] });
  expect(networkPolicyManifest(walledBy(pod, spec.ref), options)).toEqual(networkPolicyManifest(spec, options));
});
