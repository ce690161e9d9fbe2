import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';
import type { V1Container } from '@kubernetes/client-node';
import { expect, vi } from 'vitest';
import { ClusterClient } from '../../../src/runtimes/kubernetes/cluster-client.ts';
import { MAIN } from '../../../src/runtimes/kubernetes/names.ts';

/** Of a real cluster whose nodes have the image; undefined: told loudly, since these tests then say nothing. */
export const KUBECONFIG = ((): string | undefined => {
  const path = process.env['BERTH_TEST_KUBECONFIG'] ?? '';
  if (path !== '') return path;
  if (process.env['CI'] === 'true') throw new Error('no cluster: name one in BERTH_TEST_KUBECONFIG');
  console.warn('*** NOT TESTED: no Kubernetes cluster (BERTH_TEST_KUBECONFIG is unset) ***');
  return undefined;
})();

export const IMAGE = process.env['BERTH_TEST_CLUSTER_IMAGE'] ?? 'berth/base:latest';

/** Bare pods in a cluster, gone at the end. */
export class ClusterBed {
  readonly client: ClusterClient;
  readonly #pods: string[] = [];

  constructor(kubeconfig: string) {
    this.client = new ClusterClient({ kubeconfig, namespace: 'default' });
  }

  /** Returns its name once it runs, or has run. */
  async pod(main: Partial<V1Container>, labels: Record<string, string> = {}): Promise<string> {
    const name = `test-${randomUUID().slice(0, 8)}`;
    this.#pods.push(name);
    const container = { name: MAIN, image: IMAGE, imagePullPolicy: 'IfNotPresent', ...main };
    const body = {
      metadata: { name, labels },
      spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 0, shareProcessNamespace: true, containers: [container] },
    };
    await this.client.call('cluster.pod-create', (api) => api.core.createNamespacedPod({ namespace: this.client.namespace, body }));
    await vi.waitFor(async () => expect(await this.phase(name)).toMatch(/Running|Succeeded|Failed/), { timeout: 60_000 });
    return name;
  }

  async phase(name: string): Promise<string | undefined> {
    const { namespace } = this.client;
    return (await this.client.call('cluster.pod-get', (api) => api.core.readNamespacedPod({ name, namespace }))).status?.phase;
  }

  async address(name: string): Promise<string> {
    const { namespace } = this.client;
    return (await this.client.call('cluster.pod-get', (api) => api.core.readNamespacedPod({ name, namespace }))).status?.podIP ?? '';
  }

  async remove(name: string): Promise<void> {
    const { namespace } = this.client;
    await this.client.find('cluster.pod-delete', (api) => api.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#pods.map((name) => this.remove(name)));
    this.client.close();
  }
}

/** An API server that can be "killed": a port in front of the real one. */
export class ApiRelay {
  readonly kubeconfig: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(server: Server, kubeconfig: string) {
    this.#server = server;
    this.kubeconfig = kubeconfig;
  }

  /** @param folder for the changed kubeconfig */
  static async before(kubeconfig: string, folder: string): Promise<ApiRelay> {
    const real = new URL(new ClusterClient({ kubeconfig, namespace: 'default' }).server);
    const relay = new ApiRelay(createServer(), `${folder}/kubeconfig`);
    relay.#server.on('connection', (client) => relay.#join(client, connect(Number(real.port || 443), real.hostname)));
    await relay.revive();
    const text = await readFile(kubeconfig, 'utf8');
    const server = `server: "https://127.0.0.1:${relay.#port}", insecure-skip-tls-verify: true`;
    await writeFile(relay.kubeconfig, text.replace(/certificate-authority-data: [^,}\s]+/, '').replace(/server: "?[^",}\s]+"?/, server));
    return relay;
  }

  async revive(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
  }

  kill(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  get connections(): number {
    return this.#sockets.size;
  }

  #join(client: Socket, server: Socket): void {
    this.#sockets.add(client);
    client.on('close', () => {
      this.#sockets.delete(client);
      server.destroy();
    });
    server.on('close', () => client.destroy());
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server).pipe(client);
  }
}
