import { lines } from '../lines.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';

export interface Watched {
  /** Of the list in the namespace's API: `pods`, `events`. */
  readonly resource: string;
  readonly selector: Readonly<Record<string, string>>;
  /** Of the list that the watch goes on from. */
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

/** The API server ends the watch then, and so do we a little later, in case it has gone without a word. */
const LASTS_S = 240;

/**
 * What changed in the namespace since the list. Ends when the signal does, and when a gap is possible: then the caller lists
 * again. Throws RuntimeError `unreachable` where the connection breaks.
 */
export async function* watchChanges(client: ClusterClient, { resource, selector, resourceVersion, signal }: Watched): AsyncGenerator {
  const query = new URLSearchParams({ watch: 'true', ...selector, resourceVersion, timeoutSeconds: String(LASTS_S) });
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), (LASTS_S + 30) * 1000);
  const path = `/api/v1/namespaces/${encodeURIComponent(client.namespace)}/${resource}?${query.toString()}`;
  try {
    const answer = await client.open('cluster.pod-watch', path, AbortSignal.any([signal, overdue.signal]));
    for await (const line of lines(answer)) {
      const { type, object } = JSON.parse(line) as Change;
      if (type === 'ERROR') return;
      yield object;
    }
  } catch (error) {
    const gap = overdue.signal.aborted || (error instanceof ClusterRefusal && error.status === 410);
    if (!signal.aborted && !gap) throw client.broken(error);
  } finally {
    clearTimeout(timer);
  }
}
