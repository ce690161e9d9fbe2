import { expect, test } from 'vitest';
import { matchPath } from './match-path.ts';

const PATTERN = '/api/sessions/:session/attach';

test.each([
  ['/api/sessions/abc/attach', { session: 'abc' }],
  ['/api/sessions/a%20b/attach', { session: 'a b' }],
  ['/api/sessions/a%2Fb/attach', { session: 'a/b' }],
  ['/api/sessions/abc/exec', undefined],
  ['/api/sessions/abc/attach/more', undefined],
  ['/api/sessions/%zz/attach', undefined],
])('%s', (path, params) => {
  expect(matchPath(PATTERN, path)).toEqual(params);
});
