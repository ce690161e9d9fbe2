import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { exampleSession, EXAMPLE_SPEC } from '../sessions/example-session.ts';
import type { Session } from '../sessions/session.ts';
import { parseFilePath, parseWorkPath, placeOf, workFolderOf } from './work-path.ts';

const HOME = exampleSession();
const WITH_STORAGES = exampleSession({
  spec: {
    ...EXAMPLE_SPEC,
    mounts: [
      { storageId: 's1', name: 'data', target: '/work/data', readOnly: false },
      { storageId: 's2', name: 'sets', target: '/home/work/sets', readOnly: true },
    ],
  },
});
const AT_ROOT = exampleSession({ spec: { ...EXAMPLE_SPEC, workDir: '/' } });
const ELSEWHERE = exampleSession({ spec: { ...EXAMPLE_SPEC, workDir: '/srv/data/' } });
const segment = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '..',
      '.',
      '',
      'home',
      'work',
      'alice',
      'srv',
      'data',
      'sets',
      'a',
      '...',
      '.. ',
      '-rf',
      '~',
      '\\',
      '\0',
      'ü',
      '\ud800',
      'x'.repeat(256),
    ),
  },
  fc.string({ unit: 'binary', maxLength: 300 }),
);
const anyPath = fc.oneof(
  fc.array(segment, { maxLength: 12 }).map((names) => names.join('/')),
  fc.array(segment, { maxLength: 40 }).map((names) => `/${names.join('/')}`),
  fc.string({ unit: 'binary', maxLength: 6000 }),
);
const parsed = (text: string, session: Session = HOME) => {
  try {
    return parseWorkPath(text, session);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ProblemError', code: 'invalid-field', field: 'path' });
    return undefined;
  }
};

test('whatever is asked for, what is let through are names, and nothing that leads anywhere else', () => {
  fc.assert(
    fc.property(anyPath, fc.constantFrom(HOME, WITH_STORAGES, AT_ROOT, ELSEWHERE), (text, session) => {
      for (const name of parsed(text, session)?.names ?? []) {
        expect(name).not.toMatch(/^\.{0,2}$|[/\0]/);
        expect(name.isWellFormed() && Buffer.byteLength(name) <= 255).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
});

test('what was let through means itself', () => {
  fc.assert(
    fc.property(anyPath, fc.constantFrom(HOME, WITH_STORAGES, ELSEWHERE), (text, session) => {
      const once = parsed(text, session);
      if (once === undefined) return;
      expect(parsed(once.text, session)).toEqual(once);
      expect(parsed(placeOf(once, session), session)).toEqual(once);
    }),
    { numRuns: 2000 },
  );
});

test('an absolute path is let through in the work folder alone', () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 5 }), (names) => {
      const text = `/${names.join('/')}`;
      const real = text.split('/').filter((name) => name !== '' && name !== '.');
      const isInside = [
        ['home', 'work'],
        ['home', 'alice'],
      ].some((folder) => folder.every((name, at) => real[at] === name));
      if (!isInside) expect(parsed(text)).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ['a/b.txt', 'a/b.txt'],
  ['./a//b/', 'a/b'],
  ['.', '.'],
  ['', '.'],
  ['/home/work', '.'],
  ['/home/work/a b', 'a b'],
  ['/home/alice/x', 'x'],
  ['//home/./alice//x', 'x'],
  ['...', '...'],
  ['-rf', '-rf'],
  ['line\nbreak "quoted" \\n ü', 'line\nbreak "quoted" \\n ü'],
])('%j is %j', (text, path) => expect(parseWorkPath(text, HOME).text).toBe(path));

test.each([
  '..',
  'a/../b',
  '/etc/passwd',
  '/home/alicia',
  '/home/workers/x',
  '/home/alice/../bob',
  'a\0b',
  'x'.repeat(256),
  'a/'.repeat(2100),
  '\ud800',
])('%j is refused, and named', (text) =>
  expect(() => parseWorkPath(text, HOME)).toThrow(expect.objectContaining({ code: 'invalid-field', field: 'path' })),
);

test('what is said of a long path is short', () => {
  expect(() => parseWorkPath('x'.repeat(100_000), HOME)).toThrow(/^"x{199}…" is longer than 4095 bytes$/);
});

test.each([
  ['/work/data', '/work/data', '/work/data'],
  ['/work/data/x', '/work/data', '/work/data/x'],
  ['/home/work/sets/a/b', '/home/work/sets', '/home/work/sets/a/b'],
  ['sets/a', '/home/work/sets', '/home/work/sets/a'],
  ['data/x', null, 'data/x'],
  ['/home/work/other', null, 'other'],
  ['setsail', null, 'setsail'],
  ['/home/alice/sets/a', null, '/home/alice/sets/a'],
])('%j of a session with storages is in %j', (text, root, whole) => {
  const path = parseWorkPath(text, WITH_STORAGES);
  expect([path.root, path.text]).toEqual([root, whole]);
});

test('a folder beside a storage is no part of it', () => {
  for (const text of ['/work', '/work/else', '/work/database', '/home'])
    expect(() => parseWorkPath(text, WITH_STORAGES)).toThrow(/is not in the work folder/);
});

test('where a path is in the container', () => {
  expect(placeOf(parseWorkPath('a/b', HOME), HOME)).toBe('/home/alice/a/b');
  expect(placeOf(parseWorkPath('.', AT_ROOT), AT_ROOT)).toBe('/');
  expect(placeOf(parseWorkPath('x', ELSEWHERE), ELSEWHERE)).toBe('/srv/data/x');
  expect(placeOf(parseWorkPath('sets', WITH_STORAGES), WITH_STORAGES)).toBe('/home/work/sets');
});

test('a file has a name', () => {
  expect(parseFilePath('a/b', HOME).names).toEqual(['a', 'b']);
  for (const text of ['', '.', 'a/', 'a/.', '/home/work', '/home/alice/'])
    expect(() => parseFilePath(text, HOME)).toThrow(/is no name of a file/);
});

test('the work folder is what the session asked for, else its home', () => {
  expect(workFolderOf(exampleSession())).toBe('/home/alice');
  expect(workFolderOf(exampleSession({ spec: { ...EXAMPLE_SPEC, workDir: '/srv' } }))).toBe('/srv');
});
