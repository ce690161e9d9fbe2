import { describe, expect, it } from 'vitest';
import type { StorageSource } from './options.ts';
import { claimManifest, storageVolumes } from './storages.ts';

const home = { storage: { name: 'home-1', uid: 1000, gid: 1000 }, target: '/home/ada', readOnly: false };
const data = { storage: { name: 'data', uid: 1000, gid: 1000 }, target: '/work/data', readOnly: true };
const around = (storage: StorageSource) => ({ instance: '0a1b2c3d-4e5f', namespace: 'sessions', storage });

describe('storages with a claim each', () => {
  const options = around({ kind: 'class', name: 'fast', size: '10Gi', accessMode: 'ReadWriteOnce' });

  it('mounts a claim for each', () => {
    const { volumes, volumeMounts } = storageVolumes([home, data], options);
    expect(volumes.map((volume) => volume.persistentVolumeClaim?.claimName)).toEqual(['berth-0a1b2c3d-home-1', 'berth-0a1b2c3d-data']);
    expect(volumeMounts).toEqual([
      { name: 'storage-0', mountPath: '/home/ada', readOnly: false },
      { name: 'storage-1', mountPath: '/work/data', readOnly: true },
    ]);
  });

  it('mounts one that is asked for twice as one volume', () => {
    const { volumes, volumeMounts } = storageVolumes([home, { ...home, target: '/again' }], options);
    expect(volumes).toHaveLength(1);
    expect(volumeMounts.map((mount) => mount.name)).toEqual(['storage-0', 'storage-0']);
  });

  it('asks for the class, the size and the access mode that the operator named', () => {
    expect(claimManifest(home.storage, options)).toMatchObject({
      metadata: { name: 'berth-0a1b2c3d-home-1', namespace: 'sessions', labels: { 'berth.instance': '0a1b2c3d-4e5f' } },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '10Gi' } } },
    });
  });

  it('leaves the class to the cluster where none is named', () => {
    const manifest = claimManifest(home.storage, around({ kind: 'class', size: '1Gi', accessMode: 'ReadWriteMany' }));
    expect(manifest?.spec).not.toHaveProperty('storageClassName');
  });
});

describe.each<[StorageSource, object]>([
  [{ kind: 'claim', name: 'shared' }, { persistentVolumeClaim: { claimName: 'shared' } }],
  [{ kind: 'host-path', path: '/srv/berth' }, { hostPath: { path: '/srv/berth', type: 'Directory' } }],
  [{ kind: 'nfs', server: 'files', path: '/export' }, { nfs: { server: 'files', path: '/export' } }],
  [{ kind: 'none' }, { emptyDir: {} }],
])('storages as folders of one volume: $kind', (source, volume) => {
  it('mounts a folder for each, and makes no claim', () => {
    const mounted = storageVolumes([home, data], around(source));
    expect(mounted.volumes).toEqual([{ name: 'storages', ...volume }]);
    expect(mounted.volumeMounts).toEqual([
      { name: 'storages', subPath: 'berth-0a1b2c3d-home-1', mountPath: '/home/ada', readOnly: false },
      { name: 'storages', subPath: 'berth-0a1b2c3d-data', mountPath: '/work/data', readOnly: true },
    ]);
    expect(claimManifest(home.storage, around(source))).toBeUndefined();
  });

  it('needs no volume for a session without storages', () => {
    expect(storageVolumes([], around(source))).toEqual({ volumes: [], volumeMounts: [] });
  });
});
