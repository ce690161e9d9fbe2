import { IncomingMessage, type IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { guard } from './guard.ts';

function request(method: string, headers: IncomingHttpHeaders): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  return Object.assign(message, { method, headers });
}
const attempt = (method: string, headers: IncomingHttpHeaders) => () => guard(request(method, headers), ['berth.example.org']);

test.each(['localhost:4280', 'LOCALHOST', '127.0.0.1:4280', '[::1]:4280', '10.1.2.3', 'berth.example.org:443'])('answers as %s', (host) => {
  expect(attempt('GET', { host })).not.toThrow();
});

test.each(['evil.example', 'localhost.evil.example', 'xberth.example.org', '', 'a b', 'localhost:4280@evil.example'])(
  'refuses the host "%s", which anybody may point here',
  (host) => {
    expect(attempt('GET', { host })).toThrow(expect.objectContaining({ code: 'forbidden' }));
  },
);

test.each([
  ['a page of another origin', { origin: 'https://evil.example' }],
  ['another port of the same machine', { origin: 'http://localhost:9999' }],
  ['no origin to speak of', { origin: 'null' }],
  ['fetch metadata of another site', { 'sec-fetch-site': 'cross-site' }],
  ['fetch metadata of a sibling', { 'sec-fetch-site': 'same-site' }],
])('refuses to change anything for %s', (_, headers) => {
  expect(attempt('POST', { host: 'localhost:4280', ...headers })).toThrow(expect.objectContaining({ code: 'forbidden' }));
  expect(attempt('GET', { host: 'localhost:4280', upgrade: 'websocket', ...headers })).toThrow(
    expect.objectContaining({ code: 'forbidden' }),
  );
});

test.each([{}, { origin: 'http://localhost:4280', 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])(
  'lets programs and its own pages change things: %j',
  (headers) => {
    expect(attempt('DELETE', { host: 'localhost:4280', ...headers })).not.toThrow();
  },
);
