import { Agent as PlainAgent, request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent, request as secureRequest, type RequestOptions as SecureRequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { RuntimeError } from '../runtime.ts';
import { wasCut } from '../was-cut.ts';

export interface ApiRequest {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** TLS and identity. */
export interface Credentials extends Omit<SecureRequestOptions, 'headers'> {
  readonly headers: Record<string, string>;
}

const KEEP_ALIVE_MS = 30_000;

/**
 * HTTP to the API server over kept connections. The client library's own way makes a new TLS connection for every request,
 * which costs more than the request.
 */
export class ApiTransport {
  readonly #kube: KubeConfig;
  readonly #agents = {
    'http:': new PlainAgent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS }),
    'https:': new Agent({ keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS }),
  };

  constructor(kube: KubeConfig) {
    this.#kube = kube;
  }

  /** Resolves with the head of the answer. Rejects with what Node's sockets throw, or RuntimeError where there are no credentials. */
  async send(request: ApiRequest): Promise<IncomingMessage> {
    const options = await this.options(request.url);
    const sendOnce = async (agent: RequestOptions['agent']): Promise<IncomingMessage> =>
      exchange(request, { ...options, agent, headers: { ...options.headers, ...request.headers } });
    try {
      return await sendOnce(options.agent);
    } catch (error) {
      // All we send may be sent twice.
      if (wasCut(error)) return sendOnce(false);
      throw error;
    }
  }

  /** For one request. Read anew each time: tokens and certificates rotate. */
  async options(url: string): Promise<Credentials> {
    const options: Credentials = { headers: {} };
    try {
      await this.#kube.applyToHTTPSOptions(options);
    } catch (error) {
      throw noCredentials(error);
    }
    const behindProxy = this.#kube.getCurrentCluster()?.proxyUrl !== undefined;
    return behindProxy ? options : { ...options, agent: this.#agents[url.startsWith('https:') ? 'https:' : 'http:'] };
  }

  /** What is under way goes on. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

const noCredentials = (error: unknown): RuntimeError =>
  new RuntimeError(
    'unreachable',
    {
      code: 'engine-unavailable',
      message: `there are no credentials for the cluster: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'The kubeconfig names the program or the files that they come from: check these, with kubectl for example.',
    },
    { cause: error },
  );

function exchange(request: ApiRequest, options: Credentials): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = request.url.startsWith('https:') ? secureRequest : plainRequest;
    const length = request.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(request.body)) };
    const outgoing = send(request.url, {
      ...options,
      method: request.method,
      headers: { ...options.headers, ...length },
      signal: request.signal,
    });
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end(request.body);
  });
}
