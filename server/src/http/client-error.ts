import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE } from './problems.ts';
import { isUnhurried } from './take-body.ts';

const STATUS: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive within a minute: send it faster'],
  HPE_HEADER_OVERFLOW: [431, 'the headers are larger than 16KiB: send less'],
};

/** What is no request at all, or never becomes one. A body that is being taken may arrive as slowly as whoever takes it allows. */
export function answerClientError(error: Error & { readonly code?: string }, socket: Socket): void {
  const { code = '' } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && isUnhurried(socket)) return;
  if (code === 'ECONNRESET' || socket.destroyed) return;
  const [status, detail] = STATUS[code] ?? [400, 'this is no HTTP request that can be read'];
  const title = STATUS_CODES[status] ?? '';
  const body = JSON.stringify({ type: 'about:blank', title, status, code: 'bad-request', detail });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}
