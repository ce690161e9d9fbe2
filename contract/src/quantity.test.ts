import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseCpus, parseDuration } from './quantity.ts';

describe('sizes', () => {
  test.each([
    ['6.5GiB', 6_979_321_856],
    ['2.5GiB', 2_684_354_560],
    ['10240m', 10_240_000_000],
    ['512MB', 512_000_000],
    ['1k', 1_000],
    ['1073741824', 1_073_741_824],
    ['64 MiB', 67_108_864],
    ['1T', 1e12],
  ])('%s is %i bytes', (text, bytes) => expect(parseBytes(text)).toEqual({ ok: true, value: bytes }));

  test.each(['5gb x', '-1', '1e999', '', 'GiB', '0', '0.2', '5kib', '12XB', 'NaN', '9'.repeat(20)])('"%s" is refused and named', (text) => {
    const parsed = parseBytes(text);
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? '' : parsed.message).toContain(`"${text}"`);
  });
});

describe('CPUs', () => {
  test.each([
    ['1', 1],
    ['0.5', 0.5],
    ['500m', 0.5],
    ['1.2345', 1.235],
  ])('%s is %d', (text, cpus) => expect(parseCpus(text)).toEqual({ ok: true, value: cpus }));
  test.each(['-1', '0', 'two', '1e3', '', '1 2'])('"%s" is refused', (text) => expect(parseCpus(text).ok).toBe(false));
});

describe('durations', () => {
  test.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['7d', 604_800_000],
    ['250ms', 250],
  ])('%s is %i ms', (text, ms) => expect(parseDuration(text)).toEqual({ ok: true, value: ms }));
  test.each(['5', '1 h', 'soon', '-1s', ''])('"%s" is refused', (text) => expect(parseDuration(text).ok).toBe(false));
  test('are written with two units', () =>
    expect([formatDuration(5_400_000), formatDuration(90_061_000), formatDuration(40)]).toEqual(['1h30m', '1d1h', '40ms']));
});

test('bytes are written with one decimal', () =>
  expect([formatBytes(1_610_612_736), formatBytes(512), formatBytes(64 * 1024 ** 2)]).toEqual(['1.5GiB', '512B', '64MiB']));
