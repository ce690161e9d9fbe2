import { posix } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Mount } from '../sessions/session.ts';
import { planMounts, type WantedMount } from './plan-mounts.ts';

const HOME = '/home/ada';
const wanted = (target?: string, name = 'data'): WantedMount => ({
  storage: { id: `id-of-${name}`, name },
  ...(target !== undefined && { target }),
  readOnly: false,
});
const plan = (...targets: (string | undefined)[]): readonly Mount[] =>
  planMounts(
    targets.map((target, index) => wanted(target, `data-${index}`)),
    HOME,
  );

test('without a target it is a folder of its name in /work', () =>
  expect(planMounts([{ ...wanted(), readOnly: true }], HOME)).toEqual([
    { storageId: 'id-of-data', name: 'data', target: '/work/data', readOnly: true },
  ]));

test.each(['/work', '/work/data', '/home/ada/data', '/home/work/data', '/data', '/opt/models', '/var/lib/data', '/work/données de mars'])(
  '%s can be mounted at',
  (target) => expect(plan(target)).toMatchObject([{ target }]),
);

test.each([
  ['work/data', 'no absolute path'],
  ['/work/data/', 'not written out'],
  ['/work//data', 'not written out'],
  ['/work/../etc', 'not written out'],
  ['/work/./data', 'not written out'],
  ['/', "the system's"],
  ['/proc/1', "the system's"],
  ['/run/berth', "the system's"],
  ['/etc/passwd', "the system's"],
  ['/usr/local/share', "the system's"],
  ['/home', "the system's"],
  ['/tmp', "the system's"],
  ['/home/ada', 'would hide your home'],
  ['/work/a:b', 'holds ":"'],
  ['/work/a,b', 'holds ","'],
  ['/work/a\nb', 'holds "\\n"'],
])('%j is refused: %s', (target, why) =>
  expect(() => plan(target)).toThrow(
    expect.objectContaining({ code: 'invalid-field', field: 'mounts', message: expect.stringContaining(why) }),
  ),
);

describe('two at once', () => {
  test.each([
    ['/work/a', '/work/a', 'cannot both be mounted at /work/a'],
    ['/work', '/work/a', 'side by side'],
    ['/work/a/b', '/work/a', 'side by side'],
  ])('at %s and %s are refused: %s', (first, second, why) => expect(() => plan(first, second)).toThrow(why));
  test('at places whose names only begin alike are not', () => expect(plan('/work/a', '/work/ab')).toHaveLength(2));
});

test('more than thirty-two are refused', () => expect(() => plan(...Array.from({ length: 33 }, () => undefined))).toThrow('at most 32'));

/** Mostly paths, some of them nearly. */
const part = fc.oneof(fc.constantFrom('work', 'home', 'ada', 'etc', 'proc', 'a', 'b', '..', '.', ''), fc.string({ maxLength: 4 }));
const target = fc.oneof(
  fc.array(part, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
  fc.string({ maxLength: 12, unit: 'binary' }),
);

test('whatever is let through is a normal absolute path of its own, hides neither the system nor the home, and lies in no other', () => {
  fc.assert(
    fc.property(fc.array(target, { maxLength: 4 }), (targets) => {
      let planned: readonly Mount[];
      try {
        planned = plan(...targets);
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid-field', field: 'mounts', message: expect.stringMatching(/\S/) });
        return;
      }
      expect(planned.map((mount) => mount.target)).toEqual(targets);
      for (const { target: path } of planned) {
        expect(path).toMatch(/^(?:\/[^/:,"\\]+)+$/);
        expect(posix.normalize(path)).toBe(path);
        expect(`${HOME}/`.startsWith(`${path}/`)).toBe(false);
        for (const folder of ['/etc', '/proc', '/sys', '/dev', '/run', '/usr']) expect(`${path}/`.startsWith(`${folder}/`)).toBe(false);
      }
      for (const [index, one] of planned.entries())
        for (const other of planned.filter((_, at) => at !== index)) expect(`${one.target}/`.startsWith(`${other.target}/`)).toBe(false);
    }),
    { numRuns: 2000 },
  );
});
