import type { SessionStatistics } from '@berth/contract';
import { expect, test } from 'vitest';
import { cpuShare } from './stats.ts';

const counted = (second: number, cpuMs: number | null): SessionStatistics => ({
  id: 's1',
  name: 'train',
  live: true,
  statistics: {
    at: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
    cpuMs,
    memoryBytes: null,
    memoryMaxBytes: null,
    networkReceivedBytes: null,
    networkSentBytes: null,
    blockReadBytes: null,
    blockWrittenBytes: null,
  },
});

test('the share of CPUs is what was used between two counts', () => {
  expect(cpuShare(counted(0, 1_000), counted(2, 4_000))).toBe('150%');
  expect(cpuShare(counted(0, 1_000), counted(2, 1_000))).toBe('0%');
});

test('without two counts there is none', () => {
  expect(cpuShare(undefined, counted(2, 1))).toBe('-');
  expect(cpuShare(counted(2, 1), counted(2, 1))).toBe('-');
  expect(cpuShare(counted(0, null), counted(2, 1))).toBe('-');
  expect(cpuShare(counted(0, 1), { ...counted(2, 1), statistics: null })).toBe('-');
});
