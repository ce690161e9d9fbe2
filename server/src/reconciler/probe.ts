import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerRef, Runtime } from '../runtimes/runtime.ts';

/** Does this port answer? Tries again and again for a moment, so that a program which opens it soon is seen at once. */
export type Probe = (ref: ContainerRef, port: number, cut: AbortSignal) => Promise<boolean>;

const PATIENCE_MS = 2_000;
const EVERY_MS = 20;

export const tcpProbe =
  (runtime: Runtime): Probe =>
  async (ref, port, cut) => {
    const until = Date.now() + PATIENCE_MS;
    const endpoint = await runtime.endpoint(ref, port);
    if (endpoint === undefined) return false;
    while (!cut.aborted && Date.now() < until) {
      if (await answers(endpoint)) return true;
      await delay(EVERY_MS);
    }
    return false;
  };

function answers(endpoint: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...endpoint, timeout: 1_000 });
    const finish = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
  });
}
