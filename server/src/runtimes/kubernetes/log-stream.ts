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
  /** Its lines end as a terminal's do; containerd keeps no carriage return before a newline. */
  readonly tty?: boolean;
}

/** What a container printed, from the node's file. The two streams are one there: all is stdout. A missing pod is ClusterRefusal 404. */
export async function* logsOf(client: ClusterClient, pod: string, options: LogRequest): AsyncGenerator<LogChunk> {
  const path = client.podPath(pod, 'log', [
    ['container', MAIN],
    ['follow', String(options.follow)],
  ]);
  try {
    const source = await begin(client, path, options);
    if (source === undefined) return;
    let before = 0;
    for await (const data of source as AsyncIterable<Buffer>) {
      if (isKubeletsOwn(data)) continue;
      yield { stream: 'stdout', data: options.tty === true ? withReturns(data, before) : data };
      before = data.at(-1) ?? before;
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

/** @param before the byte that came before these */
function withReturns(data: Buffer, before: number): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = data.indexOf(NEWLINE); at !== -1; at = data.indexOf(NEWLINE, at + 1)) {
    if ((at === 0 ? before : data[at - 1]) === RETURN) continue;
    parts.push(data.subarray(from, at), CRLF);
    from = at + 1;
  }
  return from === 0 ? data : Buffer.concat([...parts, data.subarray(from)]);
}
const [RETURN, NEWLINE] = [13, 10];
const CRLF = Buffer.of(RETURN, NEWLINE);
