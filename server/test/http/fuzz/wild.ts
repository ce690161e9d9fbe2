import * as fc from 'fast-check';

const DEEP = 2_000;
const nested = (open: string, close: string): string => open.repeat(DEEP) + close.repeat(DEEP);

/** Texts that have broken programs before. */
const TEXTS = [
  '',
  ' ',
  '\0',
  '\ud800',
  '\u202e',
  '💥',
  'é'.repeat(70),
  'x'.repeat(5_000),
  '../../etc/passwd',
  "'; drop table sessions; --",
];
const WORDS = ['%00', '%', '%zz', '__proto__', 'constructor', 'toString', 'null', 'undefined', 'NaN', '-0', '1e999', '0x10', '*', '_'];
const VALUES = ['true', 'false', '2026-02-30', '99999999999999999999', '{{7*7}}', '<script>', '\r\nx-injected: 1', nested('[', ']')];

export const wildText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...TEXTS, ...WORDS, ...VALUES),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uuid(),
);

/** Values of JSON that nobody asked for. */
export const wildValue: fc.Arbitrary<unknown> = fc.oneof(
  wildText,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 2 ** 53, -(2 ** 63), [], {}, [null], [[]], { a: { b: { c: {} } } }),
  fc.constantFrom<unknown>(
    Number.MAX_VALUE,
    Number.MIN_VALUE,
    ['x'.repeat(600)],
    Array.from({ length: 200 }, () => 'x'),
  ),
  fc.jsonValue({ maxDepth: 4 }),
);

/** Ways to write JSON that is none, or means something else than it seems to. */
export const wildWriting: fc.Arbitrary<(json: string) => string | Buffer> = fc.constantFrom<(json: string) => string | Buffer>(
  (json) => json.slice(0, -1),
  (json) => json.replace('{', '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},'),
  (json) => json.replace('{', '{"name":1,"name":"twice",'),
  (json) => `\ufeff${json}`,
  (json) => `${json}${json}`,
  (json) => `[${json}]`,
  (json) => `// no JSON\n${json}`,
  (json) => json.replace(/"/g, "'"),
  (json) => Buffer.concat([Buffer.from(json), Buffer.from([0xff, 0xfe, 0xc3, 0x28])]),
  (json) => Buffer.from(json, 'utf16le'),
  (json) => json.replace('{', `{"deep":${nested('[', ']')},`),
  (json) => json.replace('{', `{"deep":${nested('{"a":', '}').replace(/\{"a":\}/, '{"a":1}')},`),
  (json) => json.replace('{', '{"huge":1e999,"name":-0,'),
  () => nested('[', ']'),
  () => `"${'x'.repeat(100_000)}"`,
  () => 'x'.repeat(1_200_000),
  () => '',
);

/** Headers over the usual ones; undefined takes one away. */
export const wildHeaders: fc.Arbitrary<Readonly<Record<string, string | undefined>>> = fc.oneof(
  fc.constantFrom<Readonly<Record<string, string | undefined>>>(
    { 'content-type': 'text/html' },
    { 'content-type': 'application/json; charset=utf-16' },
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'multipart/form-data' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': ';;;' },
    { 'content-type': undefined },
    { 'content-encoding': 'gzip' },
    { 'x-method-override': 'PATCH' },
    { 'x-method-override': 'nonsense' },
    { 'x-backendai-version': 'v99.99999999' },
    { authorization: undefined },
    { authorization: 'Bearer nonsense' },
    { authorization: 'BackendAI' },
    { authorization: 'BackendAI signMethod=HMAC-SHA256, credential=' },
    { authorization: 'BackendAI signMethod=HMAC-MD5, credential=a:b' },
    { 'last-event-id': 'nonsense' },
    { 'last-event-id': '99999999999999999999' },
    { host: 'evil.example' },
    { host: '' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { expect: '100-continue' },
    { expect: 'something else' },
    { range: 'bytes=0-1' },
    { 'if-none-match': '*' },
    { cookie: 'x'.repeat(4_000) },
    { 'x-large': 'x'.repeat(20_000) },
    Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`x-many-${n}`, 'x'])),
    { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '1', 'sec-websocket-key': '?' },
    { connection: 'Upgrade', upgrade: 'h2c' },
  ),
  fc.record({ date: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }) }),
  fc.record({ accept: fc.string({ unit: 'grapheme-ascii', maxLength: 40 }) }),
);
