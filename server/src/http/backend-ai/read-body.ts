import type { IncomingMessage } from 'node:http';
import { takeBody } from '../take-body.ts';
import { Refusal } from './refusal.ts';

const LIMIT = 1024 * 1024;

/** The body of a GET, which Fastify leaves alone and some clients put their parameters in. What is too large is read away, so that the connection goes on. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return Buffer.alloc(0);
  return takeBody(request, { path: 'the body', hurried: true }, async (content) => {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of content as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LIMIT) throw new Refusal('generic-bad-request', 'the body is larger than 1MiB: send less', { status: 413 });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  });
}
