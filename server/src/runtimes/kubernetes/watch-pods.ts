import type { ContainerRef } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { LABEL, selectorOf } from './names.ts';
import { refOf } from '../container-labels.ts';
import { watchChanges } from './watch-changes.ts';

export interface PodWatch {
  readonly instance: string;
  /** Of the list that the watch goes on from. */
  readonly resourceVersion: string;
  readonly signal: AbortSignal;
}

interface Labelled {
  readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
}

/** Whose pods changed since the list; ends as watchChanges does. */
export async function* watchPods(client: ClusterClient, { instance, ...since }: PodWatch): AsyncGenerator<ContainerRef> {
  const selector = { labelSelector: selectorOf({ [LABEL.instance]: instance }) };
  for await (const pod of watchChanges(client, { ...since, resource: 'pods', selector })) {
    const ref = refOf((pod as Labelled).metadata?.labels, instance);
    if (ref !== undefined) yield ref;
  }
}
