import { expect, test } from 'vitest';
import { age, count, ordinal, shortIdAmong, usedWords, waitingWords } from './words.ts';

const at = (ms: number): Date => new Date(Date.parse('2026-01-01T00:00:00Z') + ms);

test.each([
  [-5_000, '0s'],
  [400, '0s'],
  [59_400, '59s'],
  [60_000, '1m'],
  [3 * 3_600_000 + 59 * 60_000, '3h'],
  [49 * 3_600_000, '2d'],
])('%d ms ago is %s', (ms, words) => {
  expect(age('2026-01-01T00:00:00Z', at(ms))).toBe(words);
});

test('numbers and nouns agree', () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal)).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '102nd',
    '111th',
  ]);
  expect([count(1, 'CPU'), count(0.5, 'CPU'), count(2, 'GPU')]).toEqual(['1 CPU', '0.5 CPUs', '2 GPUs']);
});

test('an id is shown as its shortest safe beginning', () => {
  const [a, b, c] = [
    '0199a3b4-c5d6-7001-8f00-000000000001',
    '0199a3b4-c5d6-7002-8f00-000000000001',
    '0299a3b4-c5d6-7001-8f00-000000000001',
  ];
  expect(shortIdAmong(c, [a, b, c])).toBe('0299a3b4-c5d6');
  expect(shortIdAmong(a, [a, b, c])).toBe('0199a3b4-c5d6-7001');
});

test('waiting names every reason once, and the place in the queue', () => {
  const reasons = ['n1', 'n2', 'n3', 'n4', 'n5'].map((node) => ({ node, reason: 'needs 2 GPUs, has none' }));
  expect(waitingWords({ position: 2, of: 3, reasons })).toBe(
    'n1: needs 2 GPUs, has none; n2: needs 2 GPUs, has none; n3: needs 2 GPUs, has none; and 2 more nodes. You are 2nd of 3.',
  );
});

test('what a session has used, without what nobody counts', () => {
  const none = {
    at: '2026-01-01T00:00:00Z',
    cpuMs: null,
    memoryBytes: null,
    memoryMaxBytes: null,
    networkReceivedBytes: null,
    networkSentBytes: null,
    blockReadBytes: null,
    blockWrittenBytes: null,
  };
  expect(usedWords(none)).toBe('');
  expect(usedWords({ ...none, cpuMs: 1_500, blockReadBytes: 0, blockWrittenBytes: 1024 })).toBe(
    '2s of CPU time, 0B read from disks and 1KiB written',
  );
});
