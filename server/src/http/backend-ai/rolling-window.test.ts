import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';
import { RollingWindow, WINDOW_SECONDS } from './rolling-window.ts';

const at = (seconds: number): Date => new Date(seconds * 1000);

test('what is older than the window does not count, what is younger does', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (gaps) => {
      const window = new RollingWindow();
      const times: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        times.push((now += gap));
        expect(window.add(at(now))).toBe(times.filter((time) => time > now - WINDOW_SECONDS).length);
      }
    }),
  );
});

test('a clock that is set back loses nothing', () => {
  const window = new RollingWindow();
  window.add(at(1000));
  expect(window.add(at(990))).toBe(2);
  expect(window.isEmpty(at(1000 + WINDOW_SECONDS))).toBe(true);
});

test('each key has its own limit, told with every answer', () => {
  const rates = new RateLimit(2);
  const remaining = (key: string, time: number) => {
    const { over, headers } = rates.count(key, at(time));
    return [over, headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], headers['x-ratelimit-window']];
  };
  expect(remaining('a', 0)).toEqual([false, '2', '1', '900']);
  expect(remaining('a', 1)).toEqual([false, '2', '0', '900']);
  expect(remaining('a', 2)).toEqual([true, '2', '0', '900']);
  expect(remaining('b', 2)).toEqual([false, '2', '1', '900']);
  expect(remaining('a', 902)).toEqual([false, '2', '1', '900']);
});
