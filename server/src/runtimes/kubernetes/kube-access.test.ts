import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { kubeAccess } from './kube-access.ts';

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'berth-kube-'));
  file = join(folder, 'config');
  const contexts = ['a', 'b'].map((name) => ({ name, context: { cluster: name, user: 'u' } }));
  const clusters = ['a', 'b'].map((name) => ({ name, cluster: { server: `https://${name}.test:6443` } }));
  writeFileSync(file, JSON.stringify({ 'current-context': 'a', contexts, clusters, users: [{ name: 'u', user: { token: 't' } }] }));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test.each([
  [{}, 'https://a.test:6443'],
  [{ context: 'b' }, 'https://b.test:6443'],
])('a file, and %o of it', (more, server) => {
  expect(kubeAccess({ kubeconfig: file, ...more }).getCurrentCluster()?.server).toBe(server);
});

test('a service account, where nothing is named', () => {
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '10.0.0.1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', '443');
  expect(kubeAccess({}, { KUBERNETES_SERVICE_HOST: '10.0.0.1' }).getCurrentCluster()?.server).toBe('https://10.0.0.1:443');
});

test('what does not work is named', () => {
  expect(() => kubeAccess({ kubeconfig: join(folder, 'none') })).toThrow(/kubeconfig .*none cannot be used: ENOENT/);
  expect(() => kubeAccess({ kubeconfig: file, context: 'c' })).toThrow('the kubeconfig has no context "c", only a, b');
});

test('no cluster at all is said, not guessed', () => {
  vi.stubEnv('HOME', folder);
  vi.stubEnv('KUBECONFIG', '');
  expect(() => kubeAccess({}, {})).toThrow('no cluster is named');
});
