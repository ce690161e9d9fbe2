import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { later, lifeOf, totalOf, withUsage, type KeptUsage, type Usage } from './statistics.ts';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const usage = (changes: Partial<Usage> = {}): Usage => ({
  cpuMs: 100,
  memoryBytes: 50,
  memoryMaxBytes: null,
  networkReceivedBytes: 10,
  networkSentBytes: 20,
  blockReadBytes: null,
  blockWrittenBytes: 0,
  ...changes,
});
const first = withUsage(undefined, usage(), { life: '1 a', at: at(0) });

describe('what a session has used', () => {
  test('is what was counted last, while one process goes on', () => {
    const second = withUsage(first, usage({ cpuMs: 300, memoryBytes: 40 }), { life: '1 a', at: at(30) });
    expect(totalOf(second)).toEqual({ at: at(30).toISOString(), ...usage({ cpuMs: 300, memoryBytes: 40, memoryMaxBytes: 50 }) });
  });
  test('is the sum over restarts, with the memory of the present process', () => {
    const again = withUsage(first, usage({ cpuMs: 7, memoryBytes: 30, blockReadBytes: 5 }), { life: '1 b', at: at(30) });
    expect(totalOf(again)).toMatchObject({
      cpuMs: 107,
      memoryBytes: 30,
      memoryMaxBytes: 50,
      networkReceivedBytes: 20,
      blockReadBytes: 5,
      blockWrittenBytes: 0,
    });
  });
  test('counts a counter that began anew as another life, whatever it is called', () => {
    expect(totalOf(withUsage(first, usage({ cpuMs: 1 }), { life: '1 a', at: at(1) })).cpuMs).toBe(101);
  });
  test('stays what it is when an older count comes late', () => {
    expect(withUsage(first, usage({ cpuMs: 99 }), { life: '1 a', at: new Date(at(0).getTime() - 1) })).toBe(first);
  });
  test('what nobody counts stays unknown', () => {
    expect(totalOf(first)).toMatchObject({ blockReadBytes: null, blockWrittenBytes: 0 });
  });
  test('never goes back, however often it is started again', () => {
    const amount = fc.option(fc.nat({ max: 1_000_000 }), { nil: null });
    const counted = fc.record({
      life: fc.constantFrom('1 a', '1 b', '2 a'),
      usage: fc.record({
        cpuMs: fc.nat({ max: 1_000_000 }),
        memoryBytes: amount,
        memoryMaxBytes: amount,
        networkReceivedBytes: amount,
        networkSentBytes: amount,
        blockReadBytes: amount,
        blockWrittenBytes: amount,
      }),
    });
    fc.assert(
      fc.property(fc.array(counted, { minLength: 1, maxLength: 20 }), (counts) => {
        let kept: KeptUsage | undefined;
        for (const [index, one] of counts.entries()) {
          const next = withUsage(kept, one.usage, { life: one.life, at: at(index) });
          const [before, now] = [kept && totalOf(kept), totalOf(next)];
          for (const name of ['cpuMs', 'memoryMaxBytes', 'networkSentBytes', 'blockWrittenBytes'] as const)
            if ((now[name] ?? 0) < (before?.[name] ?? 0)) return false;
          kept = next;
        }
        return true;
      }),
    );
  });
});

test('another start of the process, or another container, is another life', () => {
  const lives = [
    { generation: 1, processStartedAt: at(0) },
    { generation: 1, processStartedAt: at(1) },
    { generation: 2, processStartedAt: at(1) },
    { generation: 2, processStartedAt: null },
  ].map(lifeOf);
  expect(new Set(lives).size).toBe(lives.length);
});

test('of what two servers know, the later is taken', () => {
  const second = withUsage(first, usage({ cpuMs: 200 }), { life: '1 a', at: at(5) });
  expect(later({ main1: first }, { main1: second })).toEqual({ main1: second });
  expect(later({ main1: second }, { main1: first })).toEqual({ main1: second });
  expect(later(null, { main1: first })).toEqual({ main1: first });
  expect(later({ main1: first }, undefined)).toEqual({ main1: first });
  expect(later(null, undefined)).toBeNull();
});
