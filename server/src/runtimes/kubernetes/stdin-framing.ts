/**
 * Input for a process behind a protocol that cannot tell its end: lines of base64, and a line of one dot for the end. A few
 * lines of shell inside the container decode it.
 */
export const framed = (data: Buffer): Buffer => Buffer.from(`${data.toString('base64')}\n`);

export const FRAMED_END = Buffer.from('.\n');
