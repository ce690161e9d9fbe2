import { lines } from '../lines.ts';
import type { ContainerRef } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { LABEL, refOf, selectorOf } from './names.ts';

interface PodEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } };
}

export interface PodWatch {
  readonly instance: string;
  /** Of the list that the watch goes on from. */
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
}

/** The API server ends the watch then, and so do we a little later, in case it has gone without a word. */
const LASTS_S = 240;

/**
 * Whose pods changed since the list. Ends when the signal does, and when a gap is possible: then the caller lists again.
 * Throws RuntimeError `unreachable` where the connection breaks.
 */
export async function* watchPods(client: ClusterClient, { instance, resourceVersion, signal }: PodWatch): AsyncGenerator<ContainerRef> {
  const query = new URLSearchParams({
    watch: 'true',
    labelSelector: selectorOf({ [LABEL.instance]: instance }),
    resourceVersion,
    timeoutSeconds: String(LASTS_S),
  });
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), (LASTS_S + 30) * 1000);
  const path = `/api/v1/namespaces/${encodeURIComponent(client.namespace)}/pods?${query.toString()}`;
  try {
    const answer = await client.open('cluster.pod-watch', path, AbortSignal.any([signal, overdue.signal]));
    for await (const line of lines(answer)) {
      const { type, object } = JSON.parse(line) as PodEvent;
      if (type === 'ERROR') return;
      const ref = refOf(object.metadata?.labels, instance);
      if (ref !== undefined) yield ref;
    }
  } catch (error) {
    const gap = overdue.signal.aborted || (error instanceof ClusterRefusal && error.status === 410);
    if (!signal.aborted && !gap) throw client.broken(error);
  } finally {
    clearTimeout(timer);
  }
}
