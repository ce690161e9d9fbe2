import { describe, expect, test } from 'vitest';
import { labels, nodePools, storageSource } from './cluster-settings.ts';

describe('where homes live in a cluster', () => {
  test.each([
    ['none', { kind: 'none' }],
    ['class', { kind: 'class', size: '10Gi', accessMode: 'ReadWriteMany' }],
    ['class:fast', { kind: 'class', name: 'fast', size: '10Gi', accessMode: 'ReadWriteMany' }],
    ['class:fast:50Gi:ReadWriteOnce', { kind: 'class', name: 'fast', size: '50Gi', accessMode: 'ReadWriteOnce' }],
    ['claim:homes', { kind: 'claim', name: 'homes' }],
    ['host-path:/srv/homes', { kind: 'host-path', path: '/srv/homes' }],
    ['nfs:files.example:/export/homes', { kind: 'nfs', server: 'files.example', path: '/export/homes' }],
  ])('%s', (text, expected) => expect(storageSource.parse(text)).toEqual(expected));

  test.each([
    '',
    'disk',
    'class:Fast',
    'class:fast:5gb x',
    'class:fast:5Gi:Everyone',
    'claim:',
    'host-path:srv',
    'nfs:server',
    'nfs::/x',
    'none:1',
    'nfs:a:/b:c:d',
  ])('"%s" is refused with what could be written', (text) =>
    expect(storageSource.safeParse(text).error?.issues[0]?.message).toContain('write class[:NAME'),
  );
});

test('node pools come as a list or as JSON, and say what is wrong with them', () => {
  const pool = { name: 'gpu', nodeSelector: { disk: 'fast' }, tolerations: [{ key: 'gpu', operator: 'Exists' }], gpus: true };
  expect(nodePools.parse([pool])).toEqual([pool]);
  expect(nodePools.parse(JSON.stringify([pool]))).toEqual([pool]);
  expect(nodePools.parse([{ name: 'all' }])).toEqual([{ name: 'all', nodeSelector: {}, tolerations: [] }]);
  expect(nodePools.safeParse('[').success).toBe(false);
  expect(nodePools.safeParse([{ name: 'x', selector: {} }]).success).toBe(false);
});

test('labels are pairs', () => {
  expect(labels.parse('')).toEqual({});
  expect(labels.parse('app=berth,app.kubernetes.io/name=x')).toEqual({ app: 'berth', 'app.kubernetes.io/name': 'x' });
  expect(labels.safeParse('app').success).toBe(false);
});
