import { describe, expect, it } from 'vitest';
import { plainSpec } from '../runtime-conformance.ts';
import type { ContainerSpec } from '../runtime.ts';
import { secretEnvironment, secretManifest } from './secret-manifest.ts';

const options = { instance: 'here', namespace: 'sessions' };
const dataOf = (changes: Partial<ContainerSpec> = {}): Record<string, string> =>
  secretManifest(plainSpec('image', changes), options).stringData ?? {};

describe('the secret of a container', () => {
  it('holds the variables, and is never changed', () => {
    const spec = plainSpec('image', { env: { TOKEN: 's3cret', passwd: 'no file' } });
    const secret = secretManifest(spec, options);
    expect(secret).toMatchObject({ immutable: true, metadata: { name: `berth-${spec.ref.sessionId}-g1-main1`, namespace: 'sessions' } });
    expect(secret.stringData).toMatchObject({ 'env.TOKEN': 's3cret', 'env.passwd': 'no file' });
    expect(secret.stringData?.['passwd']).toContain('root:x:0:0:');
  });

  it('holds the bootstrap script', () => {
    expect(dataOf({ bootstrapScript: 'echo s3cret' })).toMatchObject({ bootstrap: 'echo s3cret' });
    expect(dataOf()).not.toHaveProperty('bootstrap');
  });

  it('is referred to by every variable it holds', () => {
    const spec = plainSpec('image', { env: { TOKEN: 's3cret', OTHER: 'x' } });
    const keys = Object.keys(secretManifest(spec, options).stringData ?? {});
    for (const { valueFrom } of secretEnvironment(spec)) expect(keys).toContain(valueFrom?.secretKeyRef?.key);
    expect(secretEnvironment(spec).map(({ name }) => name)).toEqual(['TOKEN', 'OTHER']);
  });

  it('lets no one take GPUs by naming them', () => {
    expect(secretEnvironment(plainSpec('image', { env: { NVIDIA_VISIBLE_DEVICES: 'all' } }))).toEqual([]);
    expect(dataOf({ env: { NVIDIA_VISIBLE_DEVICES: 'all' } })).not.toHaveProperty('env.NVIDIA_VISIBLE_DEVICES');
  });

  it('makes the owner known, once by name and once by number', () => {
    const { passwd = '', group = '' } = dataOf({ user: { name: 'mail', uid: 33, gid: 100, home: '/home/mail' } });
    const users = passwd.trim().split('\n');
    expect(users.at(-1)).toBe('mail:x:33:100::/home/mail:/bin/bash');
    expect(group.trim().split('\n').at(-1)).toBe('mail:x:100:');
    for (const lines of [users, group.trim().split('\n')]) {
      expect(new Set(lines.map((line) => line.split(':')[0])).size).toBe(lines.length);
      expect(new Set(lines.map((line) => line.split(':')[2])).size).toBe(lines.length);
    }
  });
});
