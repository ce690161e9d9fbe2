import * as fc from 'fast-check';

const host = 'host: 127.0.0.1';
const post = `POST /session HTTP/1.1\r\n${host}`;
const get = `GET /session/x HTTP/1.1\r\n${host}`;

/** Bytes that are no request, or two, or half of one. */
const KNOWN: readonly string[] = [
  '\r\n\r\n\r\n',
  'GET\r\n\r\n',
  'GET / HTTP/9.9\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  `GET  /  HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET /\0 HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET /${'x'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET //evil.example/x HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET http://evil.example/session/x HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET /../../etc/passwd HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET /session/%zz HTTP/1.1\r\n${host}\r\n\r\n`,
  `GET /session/%c0%ae HTTP/1.1\r\n${host}\r\n\r\n`,
  `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n\r\n`,
  `TRACE / HTTP/1.1\r\n${host}\r\n\r\n`,
  `NONSENSE / HTTP/1.1\r\n${host}\r\n\r\n`,
  `OPTIONS * HTTP/1.1\r\n${host}\r\n\r\n`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  `${get}\r\nhost: evil.example\r\n\r\n`,
  `${get}\r\nbroken header\r\n\r\n`,
  `${get}\r\nx: a\r\n b\r\n\r\n`,
  `${get}\r\nx : a\r\n\r\n`,
  `${get}\nx: a\n\n`,
  `${get}\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`,
  `${post}\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n${host}\r\n\r\n`,
  `${post}\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}   `,
  `${post}\r\ncontent-length: -1\r\n\r\n{}`,
  `${post}\r\ncontent-length: 99999999999999999999\r\n\r\n{}`,
  `${post}\r\ncontent-length: 2, 2\r\n\r\n{}`,
  `${post}\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  `${post}\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
  `${post}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  `${post}\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}`,
  `${post}\r\ntransfer-encoding: chunked\r\n\r\n2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  `${post}\r\ncontent-length: 100\r\n\r\n{"half":`,
  `${post}\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n`,
  `${get}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n\x81\xff\xff\xff`,
  `GET // HTTP/1.1\r\n${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  `${get}\r\n\r\n`.repeat(50),
  `${post}\r\ncontent-length: 2\r\n\r\n{}`.repeat(50),
];

/** Known ones, cut off somewhere or with a byte changed, and pure noise. */
export const rawBytes: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...KNOWN).map((text) => Buffer.from(text, 'latin1')) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...KNOWN), fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 }))
      .map(([text, at, byte]) => {
        const bytes = Buffer.from(text, 'latin1');
        bytes[Math.floor(at * (bytes.length - 1))] = byte;
        return bytes;
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...KNOWN), fc.double({ min: 0, max: 1, noNaN: true }))
      .map(([text, at]) => Buffer.from(text.slice(0, Math.ceil(at * text.length)), 'latin1')),
  },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)) },
);
