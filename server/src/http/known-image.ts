import { setTimeout as delay } from 'node:timers/promises';
import type { ImageFacts } from '../domain/images/image-facts.ts';
import { parseImageReference } from '../domain/images/reference.ts';
import { RuntimeError, type ImageRequest, type Runtime } from '../runtimes/runtime.ts';

const PATIENCE_MS = 1_000;

/**
 * What an image says of itself, where it is on the node already; undefined where nobody can tell now: it is pulled first, or the
 * engine is slow or away. The session finds out then.
 */
export async function knownImage(
  runtime: Runtime,
  asked: { readonly image: string; readonly node: string | undefined; readonly pull: ImageRequest['pull'] },
): Promise<ImageFacts | undefined> {
  const reference = parseImageReference(asked.image);
  // What is pulled anyway may be another one, and a cluster has it on some node at most.
  if (asked.pull === 'always' || runtime.orchestrates) return undefined;
  const answered = new AbortController();
  const late = delay(PATIENCE_MS, undefined, { signal: answered.signal }).catch(() => undefined);
  try {
    const state = await Promise.race([runtime.ensureImage({ node: asked.node ?? '', reference, pull: 'never', key: reference }), late]);
    return state?.phase === 'present' ? state.facts : undefined;
  } catch (error) {
    if (error instanceof RuntimeError) return undefined;
    throw error;
  } finally {
    answered.abort();
  }
}
