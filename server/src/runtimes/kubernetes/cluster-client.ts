import { text } from 'node:stream/consumers';
import type { IncomingMessage } from 'node:http';
import {
  CoreV1Api,
  createConfiguration,
  type KubeConfig,
  NetworkingV1Api,
  type RequestContext,
  ResponseContext,
  ServerConfiguration,
  VersionApi,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import { killPoint, type KillPoint } from '../../kill-points.ts';
import { RuntimeError } from '../runtime.ts';
import { ApiTransport, type ApiRequest, type Credentials } from './api-transport.ts';
import { ClusterRefusal, clusterUnreachable } from './errors.ts';
import { kubeAccess, type KubeAccess } from './kube-access.ts';
import { openStreamSocket, type StreamSocket } from './stream-socket.ts';

export type ClusterPoint = Extract<KillPoint, `cluster.${string}`>;

/** A patch is a JSON merge patch. */
export interface ClusterApi {
  readonly core: CoreV1Api;
  readonly networking: NetworkingV1Api;
  readonly version: VersionApi;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Of Kubernetes 1: the first whose API server speaks v5.channel.k8s.io without being told to. */
const FIRST_CLOSING_MINOR = 30;

/**
 * The only way to the cluster: the API's objects are private to this one, so no call can go around its kill point, its time
 * limit and the translation of its errors.
 */
export class ClusterClient {
  readonly server: string;
  readonly namespace: string;
  readonly #transport: ApiTransport;
  readonly #kube: KubeConfig;
  readonly #apis = new Map<number, ClusterApi>();
  #silentSince: Date | undefined;
  #minor: number | undefined;

  /** Throws RuntimeError `fatal` where no cluster is named. */
  constructor(access: KubeAccess & { readonly namespace: string }) {
    this.#kube = kubeAccess(access);
    this.server = (this.#kube.getCurrentCluster()?.server ?? '').replace(/\/+$/, '');
    this.namespace = access.namespace;
    this.#transport = new ApiTransport(this.#kube);
  }

  /** One request and its whole answer. Throws ClusterRefusal, or RuntimeError `unreachable`. */
  async call<T>(point: ClusterPoint, request: (api: ClusterApi) => Promise<T>, timeoutMs = REQUEST_TIMEOUT_MS): Promise<T> {
    try {
      return await killPoint(point, () => request(this.#api(timeoutMs)));
    } catch (error) {
      throw error instanceof RuntimeError ? error : notUnderstood(this.server, error);
    }
  }

  /** The same, with undefined for "there is no such thing". */
  async find<T>(point: ClusterPoint, request: (api: ClusterApi) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.call(point, request);
    } catch (error) {
      if (error instanceof ClusterRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** An answer that is a stream: limited in time only until it begins. Its end before that is the signal's own reason. */
  async open(point: ClusterPoint, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const beginning = timeLimit(REQUEST_TIMEOUT_MS);
    const request = { method: 'GET', url: this.server + path, signal: AbortSignal.any([beginning.signal, signal]) };
    try {
      return await killPoint(point, () => this.#request(request));
    } catch (error) {
      throw signal.aborted ? signal.reason : this.broken(error);
    } finally {
      beginning.clear();
    }
  }

  /** A pod's subresource that speaks in numbered channels; `protocols` are what we can, the API server chooses. */
  async connect(point: ClusterPoint, path: string, protocols: readonly string[]): Promise<StreamSocket> {
    const url = this.server.replace(/^http/, 'ws') + path;
    const options = (): Promise<Credentials> => this.#transport.options(this.server);
    try {
      const socket = await killPoint(point, () => openStreamSocket({ url, protocols, options }));
      this.#silentSince = undefined;
      return socket;
    } catch (error) {
      throw this.broken(error);
    }
  }

  /** Whether the end of a stream's input can be told. Asked once. */
  async closesChannels(): Promise<boolean> {
    this.#minor ??= Number.parseInt((await this.call('cluster.version', (api) => api.version.getCode())).minor, 10);
    return this.#minor >= FIRST_CLOSING_MINOR;
  }

  /** What a connection to the cluster threw, also in the middle of a stream, in words for people. */
  broken(error: unknown): RuntimeError {
    if (error instanceof ClusterRefusal) this.#silentSince = undefined;
    if (error instanceof RuntimeError) return error;
    this.#silentSince ??= new Date();
    return clusterUnreachable(this.server, this.#silentSince, error);
  }

  /** Path of a pod in our namespace, or of its subresource. */
  podPath(pod: string, subresource = '', query: readonly [string, string][] = []): string {
    const path = `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/pods/${encodeURIComponent(pod)}`;
    const search = new URLSearchParams([...query]);
    return `${path}${subresource === '' ? '' : `/${subresource}`}${search.size === 0 ? '' : `?${search.toString()}`}`;
  }

  close(): void {
    this.#transport.close();
  }

  async #request(request: ApiRequest): Promise<IncomingMessage> {
    const answer = await this.#transport.send(request);
    const status = answer.statusCode ?? 0;
    if (status >= 400) throw new ClusterRefusal(status, await text(answer));
    this.#silentSince = undefined;
    return answer;
  }

  #api(timeoutMs: number): ClusterApi {
    let api = this.#apis.get(timeoutMs);
    if (api === undefined) {
      const configuration = createConfiguration({
        baseServer: new ServerConfiguration(this.server, {}),
        httpApi: wrapHttpLibrary({ send: (request) => this.#exchange(request, timeoutMs) }),
      });
      api = {
        core: new CoreV1Api(configuration),
        networking: new NetworkingV1Api(configuration),
        version: new VersionApi(configuration),
      };
      this.#apis.set(timeoutMs, api);
    }
    return api;
  }

  async #exchange(request: RequestContext, timeoutMs: number): Promise<ResponseContext> {
    const limit = timeLimit(timeoutMs);
    try {
      const method = request.getHttpMethod();
      const body = request.getBody();
      const headers = { ...request.getHeaders(), ...(method === 'PATCH' ? { 'Content-Type': 'application/merge-patch+json' } : {}) };
      const sent = { method, url: request.getUrl(), headers, signal: limit.signal, ...(typeof body === 'string' ? { body } : {}) };
      const answer = await this.#request(sent);
      const content = await text(answer);
      const type = answer.headers['content-type'] ?? '';
      // The library takes anything else for an empty object.
      if (!type.includes('json')) throw notUnderstood(this.server, new Error(`it is ${type || 'of no type'}, not JSON`));
      return new ResponseContext(
        answer.statusCode ?? 0,
        { 'content-type': type },
        {
          text: async () => content,
          binary: async () => Buffer.from(content),
          stream: () => null,
        },
      );
    } catch (error) {
      throw this.broken(error);
    } finally {
      limit.clear();
    }
  }
}

const notUnderstood = (server: string, error: unknown): RuntimeError =>
  new RuntimeError(
    'retry',
    {
      code: 'rejected',
      message: `the answer of the cluster at ${server} is not understood: ${error instanceof Error ? error.message : String(error)}`,
      remedy: 'Is that address an API server, and its version 1.20 or newer?',
    },
    { cause: error },
  );

/** Unlike AbortSignal.timeout's, its timer ends with what it limits; the reason is in words for people. */
function timeLimit(ms: number): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${Math.round(ms / 1000)} s`)), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}
