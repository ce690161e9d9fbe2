import type { V1Pod } from '@kubernetes/client-node';
import { expect, it } from 'vitest';
import { storageHolder } from './storage-holder.ts';

const pod = (
  name: string,
  nodeName: string,
  { labels = {}, phase = 'Running' }: { labels?: Record<string, string>; phase?: string } = {},
): V1Pod => ({
  metadata: { name, namespace: 'berth', labels },
  spec: { nodeName, containers: [], volumes: [{ name: 'home', persistentVolumeClaim: { claimName: 'home' } }] },
  status: { phase },
});
const claim = (mode: string) => ({ metadata: { name: 'home' }, spec: { accessModes: [mode] } });
const session = { labels: { 'berth.session': '0190', 'berth.owner': 'ada' } };

it.each<[string, string, V1Pod, string | undefined]>([
  [
    'another node',
    'ReadWriteOnce',
    pod('a', 'n2', session),
    'its storage (claim home) can be used on one node at a time, and session 0190 of ada has it on n2',
  ],
  ['a stranger', 'ReadWriteOnce', pod('a', 'n2'), 'its storage (claim home) can be used on one node at a time, and pod a has it on n2'],
  ['the same node', 'ReadWriteOnce', pod('a', 'n1', session), undefined],
  ['one that has ended', 'ReadWriteOnce', pod('a', 'n2', { ...session, phase: 'Failed' }), undefined],
  ['many nodes may have it', 'ReadWriteMany', pod('a', 'n2', session), undefined],
])('a storage held by %s', (_, mode, holder, sentence) => {
  expect(storageHolder(pod('new', 'n1'), { claims: [claim(mode)], pods: [holder] })).toBe(sentence);
});

it('explains it for every storage that the pod mounts, not only for its home', () => {
  const mounting = (name: string, nodeName: string, claims: readonly string[]): V1Pod => {
    const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
    return { metadata: { name, namespace: 'berth' }, spec: { nodeName, containers: [], volumes }, status: { phase: 'Running' } };
  };
  const claims = ['home', 'storage-1'].map((name) => ({ metadata: { name }, spec: { accessModes: ['ReadWriteOnce'] } }));
  const known = { claims, pods: [mounting('other', 'n2', ['storage-1'])] };
  expect(storageHolder(mounting('new', 'n1', ['home', 'storage-1']), known)).toContain('(claim storage-1)');
});
