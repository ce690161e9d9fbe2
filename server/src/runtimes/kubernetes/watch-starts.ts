import type { ContainerRef } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { ClusterRefusal } from './errors.ts';
import { MAIN, refOfPod, selectorOf } from './names.ts';
import { watchChanges } from './watch-changes.ts';

/** A kubelet tells at once that it has started a container, but looks at its containers, and says how they are, once a second. */
export const STARTED = { reason: 'Started', fieldPath: `spec.containers{${MAIN}}` } as const;

interface Involving {
  readonly involvedObject?: { readonly name?: string };
}

/**
 * Whose container has just been started; the other installations' of the namespace, too. Ends with the signal, and without a word
 * where events may not be watched: all it does is to make others look sooner.
 */
export async function* watchStarts(client: ClusterClient, signal: AbortSignal): AsyncGenerator<ContainerRef> {
  const fieldSelector = selectorOf({ reason: STARTED.reason, 'involvedObject.fieldPath': STARTED.fieldPath });
  const { namespace } = client;
  try {
    // Events may be kept apart from all else, with versions of their own.
    const { metadata } = await client.call('cluster.pod-events', (api) =>
      api.core.listNamespacedEvent({ namespace, fieldSelector, limit: 1 }),
    );
    const resourceVersion = metadata?.resourceVersion ?? '';
    for await (const event of watchChanges(client, { resource: 'events', selector: { fieldSelector }, resourceVersion, signal })) {
      const ref = refOfPod((event as Involving).involvedObject?.name ?? '');
      if (ref !== undefined) yield ref;
    }
  } catch (error) {
    if (!(error instanceof ClusterRefusal) || error.status !== 403) throw error;
  }
}
