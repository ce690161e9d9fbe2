/**
 * Input for a process behind a protocol that cannot tell its end: pieces, each after a line with its length; a length of 0
 * ends it. gate.ts has the few lines of shell that decode it inside the container.
 */
export function framed(data: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < data.length; at += LARGEST_PIECE) {
    const piece = data.subarray(at, at + LARGEST_PIECE);
    pieces.push(Buffer.from(`${piece.length}\n`), piece);
  }
  return Buffer.concat(pieces);
}

/** The decoder holds one in memory, and starts a program for each. */
const LARGEST_PIECE = 64 * 1024;

export const FRAMED_END = Buffer.from('0\n');
