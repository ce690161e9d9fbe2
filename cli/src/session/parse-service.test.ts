import { expect, test } from 'vitest';
import { parseService } from './parse-service.ts';

test.each([
  ['board:6006/http', { name: 'board', port: 6006, protocol: 'http' }],
  ['board:6006', { name: 'board', port: 6006, protocol: 'http' }],
  ['5432/tcp', { name: '5432', port: 5432, protocol: 'tcp' }],
  ['8080', { name: '8080', port: 8080, protocol: 'http' }],
])('%s', (text, service) => expect(parseService(text)).toEqual(service));

test.each(['', 'board', 'board:', ':80', 'board:x', '80/', 'a:b:80', '123456'])('%j names no port', (text) =>
  expect(() => parseService(text)).toThrow(`--expose: "${text}" names no port`),
);
