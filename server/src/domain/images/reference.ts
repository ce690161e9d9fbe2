import { ProblemError } from '@berth/contract';

/** `docker://REF` or a bare REF: what the engine is asked for. `berth://` images come later and say so. */
export function parseImageReference(text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'berth') {
    throw new ProblemError('unsupported-yet', `"${text}": images in Berth's own store are not there yet; use docker://`, {
      field: 'image',
    });
  }
  if (scheme !== undefined && scheme !== 'docker') {
    throw new ProblemError('invalid-field', `"${text}" has the unknown scheme "${scheme}://"; say docker://NAME[:TAG]`, { field: 'image' });
  }
  const reference = scheme === undefined ? text : text.slice('docker://'.length);
  if (!REFERENCE.test(reference) || reference.length > 384) {
    throw new ProblemError(
      'invalid-field',
      `"${text}" is not an image reference; write docker://[HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST], in lower case`,
      { field: 'image' },
    );
  }
  return withTag(reference);
}

const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
/** A first part is a host only with a dot or a port in it, or as `localhost`: as engines read it. */
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const HOST = `(?:(?:localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:\\d))(?::\\d{1,5})?/)?`;
const REFERENCE = new RegExp(`^${HOST}${PART}(?:/${PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`);

function withTag(reference: string): string {
  const lastPart = reference.slice(reference.lastIndexOf('/') + 1);
  return lastPart.includes(':') || lastPart.includes('@') ? reference : `${reference}:latest`;
}
