import { expect, it } from 'vitest';
import { eraserManifest } from './eraser-manifest.ts';

const storage = { name: 'storage-0190', uid: 1000, gid: 1000 };
const options = {
  instance: '0a1b2c3d-4e5f',
  namespace: 'sessions',
  storage: { kind: 'claim', name: 'shared' },
  pools: [{ name: 'standard', nodeSelector: { pool: 'standard' }, tolerations: [] }],
  helperImage: 'berth/base:latest',
} as const;

it('empties the folder of that storage and sees no other, as the user it belongs to', () => {
  const { spec } = eraserManifest(storage, options);
  expect(spec).toMatchObject({ restartPolicy: 'Never', nodeSelector: { pool: 'standard' }, securityContext: { runAsUser: 1000 } });
  expect(spec?.containers[0]?.volumeMounts).toEqual([
    { name: 'storages', subPath: 'berth-0a1b2c3d-storage-0190', mountPath: '/storage', readOnly: false },
  ]);
});

it('carries the label of the installation and none of a session', () =>
  expect(eraserManifest(storage, options).metadata?.labels).toEqual({
    'berth.instance': '0a1b2c3d-4e5f',
    'berth.storage': 'storage-0190',
  }));
