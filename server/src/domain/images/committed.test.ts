import { CommitName } from '@berth/contract';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUILTIN_IMAGES } from './builtin.ts';
import { committedReference } from './committed.ts';
import { parseImageReference } from './reference.ts';

const ada = { id: '0190f5a0-0000-7000-8000-000000000001', name: 'ada' };

describe('an image that somebody made', () => {
  test('is called after its user', () => {
    expect(committedReference(ada, 'tool')).toBe('localhost/berth/ada/tool:latest');
    expect(committedReference(ada, 'tool:1.0')).toBe('localhost/berth/ada/tool:1.0');
  });
  test('is called by her id where her name is no part of an image name', () => {
    expect(committedReference({ ...ada, name: 'ada_' }, 'tool')).toBe(`localhost/berth/${ada.id}/tool:latest`);
  });
  test.each([
    'berth/base',
    'a/b',
    'registry.example:5000/a',
    `a@sha256:${'a'.repeat(64)}`,
    '../a',
    'A',
    '',
    'a:',
    '-a',
    'a..b',
    'a'.repeat(65),
  ])('cannot be called %j', (name) => expect(CommitName.safeParse(name).success).toBe(false));
  test('is, whatever it is called, an image that sessions can be started from, in its own folder, and no built-in one', () => {
    const names = fc
      .stringMatching(/^[a-z0-9]+((\.|_|-)[a-z0-9]+)?(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,9})?$/)
      .filter((name) => name.length < 60);
    fc.assert(
      fc.property(names, (name) => {
        const reference = committedReference(ada, CommitName.parse(name));
        expect(parseImageReference(`docker://${reference}`)).toBe(reference);
        expect(reference.startsWith('localhost/berth/ada/')).toBe(true);
        expect(BUILTIN_IMAGES).not.toContain(reference);
      }),
    );
  });
});
