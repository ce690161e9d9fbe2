import type { Cause } from '@berth/contract';
import type { ImageFacts } from '../images/image-facts.ts';
import { imageLimits, unfitFor } from '../images/image-limits.ts';
import type { Session } from './session.ts';

/** Why its image cannot run with what the session was given; undefined: it can. For images that are known only once they have been pulled. */
export function unfitForImage({ spec, grant }: Session, image: ImageFacts): Cause | undefined {
  return unfitFor(spec, imageLimits(image.labels), grant ?? undefined)?.cause;
}
