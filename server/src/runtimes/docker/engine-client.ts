import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { killPoint, type KillPoint } from '../../kill-points.ts';
import type { EngineAddress } from './engine-address.ts';
import { wasCut } from '../was-cut.ts';
import { EngineRefusal, engineError } from './errors.ts';

type EnginePoint = Extract<KillPoint, `engine.${string}`>;
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * The only way to the engine: dockerode is private to this file's object, so no call can go around its kill point,
 * its time limit and the translation of its errors.
 */
export class EngineClient {
  readonly address: EngineAddress;
  readonly #clients = new Map<string, Docker>();

  constructor(address: EngineAddress) {
    this.address = address;
  }

  /** One request and its whole answer. Throws EngineRefusal, or RuntimeError `unreachable`. */
  call<T>(point: EnginePoint, request: (engine: Docker) => Promise<T>, timeoutMs = REQUEST_TIMEOUT_MS): Promise<T> {
    return this.#limited(point, () => this.#ask(timeoutMs, request), timeoutMs);
  }

  /**
   * The same on a new connection, and never sent twice: for what must not be done twice, and to know whether the engine is
   * shutting down: then it takes none, but answers on those it has while it ends its containers.
   */
  callAnew<T>(point: EnginePoint, request: (engine: Docker) => Promise<T>, timeoutMs = REQUEST_TIMEOUT_MS): Promise<T> {
    return this.#limited(point, () => request(this.#client(timeoutMs, false)), timeoutMs);
  }

  /** The same, with undefined for "there is no such thing". */
  async find<T>(point: EnginePoint, request: (engine: Docker) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.call(point, request);
    } catch (error) {
      if (error instanceof EngineRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * A request whose answer is a stream: limited in time only until it begins, and not at all where its own signal does that.
   * @param options.anew for one whose body is a stream: as callAnew, since nobody can read that a second time
   */
  async open<T>(
    point: EnginePoint,
    request: (engine: Docker, abortSignal: AbortSignal) => Promise<T>,
    options: { signal?: AbortSignal; slow?: boolean; anew?: boolean } = {},
  ): Promise<T> {
    const beginning = new AbortController();
    const timer = options.slow === true ? undefined : setTimeout(() => beginning.abort(), REQUEST_TIMEOUT_MS);
    try {
      const abort = options.signal === undefined ? beginning.signal : AbortSignal.any([beginning.signal, options.signal]);
      const send = (engine: Docker): Promise<T> => request(engine, abort);
      return await killPoint(point, () => (options.anew === true ? send(this.#client(0, false)) : this.#ask(0, send)));
    } catch (error) {
      throw engineError(error, this.address, beginning.signal.aborted ? REQUEST_TIMEOUT_MS : undefined);
    } finally {
      clearTimeout(timer);
    }
  }

  async #limited<T>(point: EnginePoint, request: () => Promise<T>, timeoutMs: number): Promise<T> {
    const begun = performance.now();
    try {
      return await killPoint(point, request);
    } catch (error) {
      throw engineError(error, this.address, performance.now() - begun >= timeoutMs ? timeoutMs : undefined);
    }
  }

  /** A kept connection that the engine has just closed looks as if the engine were gone: only what fails on a new one as well has failed. */
  async #ask<T>(timeoutMs: number, request: (engine: Docker) => Promise<T>): Promise<T> {
    try {
      return await request(this.#client(timeoutMs, true));
    } catch (error) {
      if (!wasCut(error)) throw error;
      return request(this.#client(timeoutMs, false));
    }
  }

  #client(timeoutMs: number, keepAlive: boolean): Docker {
    const key = `${timeoutMs} ${keepAlive}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = new Docker({ ...this.address.connection, ...agentFor(this.address, keepAlive), timeout: timeoutMs });
      this.#clients.set(key, client);
    }
    return client;
  }
}

/**
 * docker-modem describes every request's options to a debug log nobody reads, down to each open socket of the agent: most of
 * the server's CPU time under load. An agent with a short description of itself ends that.
 */
function agentFor(address: EngineAddress, keepAlive: boolean): { agent?: Agent } {
  if (address.connection.protocol === 'ssh') return {};
  const agent = address.connection.protocol === 'https' ? new SecureAgent({ keepAlive }) : new Agent({ keepAlive });
  return { agent: Object.assign(agent, { [inspect.custom]: () => 'Agent' }) };
}
