import { describe, expect, test } from 'vitest';
import { askedMounts } from './asked-mounts.ts';

const asked = (mounts: string[], mountMap: Record<string, string> = {}, mountOptions: Record<string, { permission?: string }> = {}) =>
  askedMounts({ mounts, mountMap, mountOptions });

describe('a folder is mounted', () => {
  test.each([
    [['data'], {}, '/home/work/data'],
    [['data:input'], {}, '/home/work/input'],
    [['data'], { data: 'input' }, '/home/work/input'],
    [['data'], { data: '/home/work/input' }, '/home/work/input'],
    [['data'], { data: '/data' }, '/data'],
  ])('%j with the map %j at %s', (mounts, map, target) =>
    expect(asked(mounts, map)).toEqual([{ storage: 'data', target, readOnly: false }]),
  );
  test('for reading only where its options say so', () =>
    expect(asked(['data', 'out'], {}, { data: { permission: 'ro' }, out: { permission: 'rw' } })).toMatchObject([
      { readOnly: true },
      { readOnly: false },
    ]));
});

test.each<[string, string[], Record<string, string>, string]>([
  ['six', ['a', 'b', 'c', 'd', 'e', 'f'], {}, 'at most 5'],
  ['one folder twice', ['data', 'data'], {}, 'mounted twice'],
  ['one alias twice', ['data', 'out'], { data: 'x', out: 'x' }, 'the same alias'],
  ["an alias that is another's name", ['data', 'out'], { data: 'out', out: 'x' }, "another folder's name"],
  ['an empty alias', ['data'], { data: '' }, 'is empty'],
  ['a place for what is not mounted', ['data'], { other: 'x' }, 'not among the mounts'],
])('%s is refused', (_, mounts, map, why) =>
  expect(() => asked(mounts, map)).toThrow(expect.objectContaining({ kind: 'invalid-api-params', message: expect.stringContaining(why) })),
);
