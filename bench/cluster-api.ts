import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';
import { json, text } from 'node:stream/consumers';
import { KubeConfig } from '@kubernetes/client-node';

/** The API server of KUBECONFIG with nothing in between: JSON over kept connections. */
export class ClusterApi {
  private readonly kube = new KubeConfig();
  private readonly agent = new Agent({ keepAlive: true });

  constructor() {
    this.kube.loadFromDefault();
  }

  async get<T>(path: string): Promise<T> {
    return (await json(await this.open('GET', path))) as T;
  }

  /** Resolves once the whole answer has come. */
  async post(path: string, body: unknown): Promise<void> {
    await text(await this.open('POST', path, { body: JSON.stringify(body) }));
  }

  /** At once, without grace; what is not there is as good. */
  async delete(path: string): Promise<void> {
    try {
      await text(await this.open('DELETE', path, { body: JSON.stringify({ gracePeriodSeconds: 0 }) }));
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 404) throw error;
    }
  }

  /** The head of the answer; its end may be long in coming. */
  async open(method: string, path: string, options: { body?: string; signal?: AbortSignal } = {}): Promise<IncomingMessage> {
    const identity: Omit<RequestOptions, 'headers'> & { headers: Record<string, string> } = { headers: {} };
    await this.kube.applyToHTTPSOptions(identity);
    const { body, signal } = options;
    const outgoing = request(new URL(path, this.kube.getCurrentCluster()?.server), {
      ...identity,
      method,
      agent: this.agent,
      headers: { ...identity.headers, ...(body !== undefined && headersOf(body)) },
      ...(signal && { signal }),
    });
    outgoing.end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    const status = answer.statusCode ?? 0;
    if (status >= 400) throw new Refusal(status, `${method} ${path}: ${status} ${await text(answer)}`);
    return answer;
  }

  close(): void {
    this.agent.destroy();
  }
}

/** With its length: Node would send a DELETE's body with no sign of where it ends. */
const headersOf = (body: string): Record<string, string> => ({
  'content-type': 'application/json',
  'content-length': String(Buffer.byteLength(body)),
});

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
