import { randomInt, randomUUID } from 'node:crypto';
import type { CoreV1Api } from '@kubernetes/client-node';
import { expect, vi } from 'vitest';

/** Refuses everything, each in its own way. Nodes ask registries at 127.0.0.1 without TLS. */
const REFUSING = `
import http.server, sys
class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        denied = '/denied/' in self.path
        self.send_response(200 if self.path == '/v2/' else 403 if denied else 404)
        self.send_header('content-type', 'application/json')
        self.end_headers()
        code = 'DENIED' if denied else 'MANIFEST_UNKNOWN'
        self.wfile.write(b'{"errors":[{"code":"%s","message":"%s"}]}' % (code.encode(), b'requested access is denied' if denied else b'manifest unknown'))
    do_HEAD = do_GET
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Registry).serve_forever()
`;

/** A registry on a node, for that node alone. */
export class NodeRegistry {
  readonly node: string;
  readonly address: string;
  readonly #core: CoreV1Api;
  readonly #pod: string;

  private constructor(core: CoreV1Api, { pod, node, port }: { pod: string; node: string; port: number }) {
    this.#core = core;
    this.#pod = pod;
    this.node = node;
    this.address = `127.0.0.1:${port}`;
  }

  static async start(core: CoreV1Api, image: string): Promise<NodeRegistry> {
    const name = `test-registry-${randomUUID().slice(0, 8)}`;
    const port = randomInt(20_000, 30_000);
    const main = {
      name: 'main',
      image: image.replace('docker://', ''),
      imagePullPolicy: 'IfNotPresent',
      command: ['python3', '-c', REFUSING, String(port)],
      readinessProbe: { exec: { command: ['bash', '-c', `</dev/tcp/127.0.0.1/${port}`] }, periodSeconds: 1 },
    };
    const spec = { hostNetwork: true, terminationGracePeriodSeconds: 0, containers: [main] };
    await core.createNamespacedPod({ namespace: 'default', body: { metadata: { name }, spec } });
    const node = await vi.waitFor(
      async () => {
        const { status, spec: placed } = await core.readNamespacedPod({ name, namespace: 'default' });
        expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'True' }));
        return placed?.nodeName ?? '';
      },
      { timeout: 60_000 },
    );
    return new NodeRegistry(core, { pod: name, node, port });
  }

  async stop(): Promise<void> {
    await this.#core.deleteNamespacedPod({ name: this.#pod, namespace: 'default', gracePeriodSeconds: 0 });
  }
}
