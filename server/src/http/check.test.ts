import { CreateSession, ProblemError } from '@berth/contract';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { check } from './check.ts';

function complaint(body: unknown): { field: string | undefined; message: string } {
  try {
    check(CreateSession, body);
  } catch (error) {
    if (error instanceof ProblemError) return { field: error.field, message: error.message };
    throw error;
  }
  throw new Error('nothing to complain about');
}

test.each([
  ['an unknown field', { cpus: 1 }, 'cpus', '"cpus"'],
  ['an unknown field further in', { resources: { cpus: 1 } }, 'resources.cpus', '"resources.cpus"'],
  ['a malformed name', { name: 'Ünder_score' }, 'name', '"Ünder_score"'],
  ['a size with a strange unit', { resources: { memory: '5gb x' } }, 'resources.memory', '5gb x'],
  ['a negative size', { resources: { memory: '-1' } }, 'resources.memory', '-1'],
  ['a size beyond reason', { resources: { memory: '1e999' } }, 'resources.memory', '1e999'],
  ['a wrong type', { command: 'ls -l' }, 'command', '"ls -l"'],
  ['a word that is none of those there are', { pull: 'sometimes' }, 'pull', '"sometimes"'],
  ['a variable that cannot be named so', { env: { '1A': 'x' } }, 'env.1A', '1A'],
  ['no object at all', [], undefined, '[]'],
])('says which field and what is in it: %s', (_, body, field, shown) => {
  const { field: named, message } = complaint(body);
  expect(named).toBe(field);
  expect(message).toContain(shown);
});

test('does not repeat a value of any length', () => {
  expect(complaint({ name: 'x'.repeat(5_000) }).message.length).toBeLessThan(400);
});

test.each([
  [{ pull: 'sometimes' }, 'it must be always, missing or never'],
  [{ resources: { gpu: -1 } }, 'it must be at least 0'],
  [{ port: 99_999 }, 'it must be at most 65535'],
  [{ command: 'ls -l' }, 'it must be a list'],
  [{ env: { '1A': 'x' } }, 'a variable is named with letters'],
  [{ name: 5 }, 'it must be a text'],
])('says what would be right, in words: %j', (body, words) => {
  expect(complaint(body).message).toContain(words);
});

test.each([
  [{ clientToken: 'a\0b' }, 'clientToken'],
  [{ workDir: '/\0' }, 'workDir'],
  [{ command: ['echo', '\ud800'] }, 'command.1'],
  [{ env: { A: '\udc00' } }, 'env.A'],
])('a text that neither database nor engine could keep is refused: %j', (body, field) => {
  expect(complaint(body).field).toBe(field);
});

test('text of every language passes', () => {
  expect(check(CreateSession, { command: ['ä', '日本', '🚢'] }).command).toEqual(['ä', '日本', '🚢']);
});

test('a value too deep or too long to be written out is told all the same', () => {
  let deep: unknown = [];
  for (let level = 0; level < 100_000; level += 1) deep = [deep];
  expect(() => check(z.object({ name: z.string() }), { name: deep })).toThrow('name is [[[["…"]]]]');
  expect(() => check(z.object({ name: z.number() }), { name: 'x'.repeat(1_000_000) })).toThrow(/name is "x{98}…/);
});
