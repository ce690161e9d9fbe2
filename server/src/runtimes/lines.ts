import type { Readable } from 'node:stream';

/** A stream of text by lines, the last one too. Unlike readline's, an error of the stream is thrown here. */
export async function* lines(source: Readable): AsyncGenerator<string> {
  let rest = '';
  source.setEncoding('utf8');
  for await (const piece of source) {
    const parts = (rest + String(piece)).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part.trim() !== '') yield part;
  }
  if (rest.trim() !== '') yield rest;
}
