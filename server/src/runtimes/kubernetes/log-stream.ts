import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogChunk, LogOptions } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { MAIN } from './names.ts';

const NOT_YET_MS = 500;
const LATE_AT_MOST_MS = 5_000;

export interface LogRequest extends LogOptions {
  /** It has run, even if its kubelet does not know that yet. */
  readonly hasBegun?: boolean;
}

/** What a container printed, from the node's file. The two streams are one there: all is stdout. A missing pod is ClusterRefusal 404. */
export async function* logsOf(client: ClusterClient, pod: string, options: LogRequest): AsyncGenerator<LogChunk> {
  const path = client.podPath(pod, 'log', [
    ['container', MAIN],
    ['follow', String(options.follow)],
    ...(options.tailLines === undefined ? [] : [['tailLines', String(options.tailLines)] as [string, string]]),
  ]);
  try {
    const source = await begin(client, path, options);
    if (source === undefined) return;
    for await (const data of source) {
      if (!isKubeletsOwn(data as Buffer)) yield { stream: 'stdout', data: data as Buffer };
    }
  } catch (error) {
    if (!options.signal.aborted) throw client.broken(error);
  }
}

/** The kubelet says it as if the container had: its file is gone, since somebody deleted the pod. */
const isKubeletsOwn = (data: Buffer): boolean =>
  data.length < 200 && /^unable to retrieve container logs for [a-z-]+:\/\/[0-9a-f]{64}$/.test(data.toString());

/** 400 is a container that has not begun: it has printed nothing, and who follows waits for it. */
async function begin(
  client: ClusterClient,
  path: string,
  { follow, hasBegun = false, signal }: LogRequest,
): Promise<IncomingMessage | undefined> {
  for (let waited = hasBegun ? 0 : LATE_AT_MOST_MS; ; waited += NOT_YET_MS) {
    try {
      return await client.open('cluster.pod-log', path, signal);
    } catch (error) {
      if (!(error instanceof ClusterRefusal) || error.status !== 400) throw error;
      if (!follow && waited >= LATE_AT_MOST_MS) return undefined;
    }
    await delay(NOT_YET_MS, undefined, { signal });
  }
}
