import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

const LIMIT = 1024 * 1024;

/** The body of a GET, which Fastify leaves alone and some clients put their parameters in. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && (length === undefined || length === '0')) return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LIMIT) throw new Refusal('generic-bad-request', 'the body is larger than 1MiB: send less', { status: 413 });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
