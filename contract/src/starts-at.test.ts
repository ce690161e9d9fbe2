import { describe, expect, test } from 'vitest';
import { parseStartsAt, startingInstant } from './starts-at.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const startOf = (text: string): string => {
  const parsed = parseStartsAt(text);
  return parsed.ok ? startingInstant(parsed.value, NOW).toISOString() : parsed.message;
};

describe('when a session starts', () => {
  test.each([
    ['2026-12-24', '2026-12-24T00:00:00.000Z'],
    ['2026-12-24T18', '2026-12-24T18:00:00.000Z'],
    ['2026-12-24T18:00', '2026-12-24T18:00:00.000Z'],
    ['2026-12-24 18:00:30', '2026-12-24T18:00:30.000Z'],
    ['2026-12-24T18:00:30.25Z', '2026-12-24T18:00:30.250Z'],
    ['2026-12-24T18:00:30.123456+00:00', '2026-12-24T18:00:30.123Z'],
    ['2026-12-24T18:00+02:00', '2026-12-24T16:00:00.000Z'],
    ['2026-12-24T18:00-0930', '2026-12-25T03:30:00.000Z'],
    ['2026-12-24t18:00+09', '2026-12-24T09:00:00.000Z'],
    ['1999-01-01', '1999-01-01T00:00:00.000Z'],
  ])('an instant: %s', (text, expected) => expect(startOf(text)).toBe(expected));

  test.each([
    ['5m', 300],
    ['1d1hr', 90_000],
    ['2hours 15min', 8_100],
    ['2 hours', 7_200],
    ['300', 300],
    ['2026', 2026],
    ['1.5h', 5_400],
    ['.5m', 30],
    ['1d 2h 3m 4s', 93_784],
    ['1 day 2 hrs 3 mins 4 secs', 93_784],
    ['2days3hours4minutes5seconds', 183_845],
    ['90sec', 90],
    ['1H30M', 5_400],
    ['+10s', 10],
    ['-10s', -10],
    ['- 1h 30m', -5_400],
    ['0', 0],
  ])('so long from now: %s', (text, seconds) => expect(startOf(text)).toBe(new Date(NOW.getTime() + seconds * 1000).toISOString()));

  test.each(['', ' ', '-', 'm', 'soon', '5x', '1h1d', '5m 5m', '1w', '--5m', '1h -5m', '1,5h', '5m!', 'NaN', '1e3'])(
    'garbage is named: %j',
    (text) => expect(startOf(text)).toContain(`"${text}" is no point in time`),
  );

  test.each(['2026-02-30', '2026-13-01', '2026-01-01T24:00', '2026-01-01T10:60', '2026-01-01T10:00+24:00'])(
    'a date that is none: %s',
    (text) => expect(startOf(text)).toContain('is no date there is'),
  );

  test.each(['9'.repeat(40), '40000d'])('no later than anybody lives: %s', (text) => expect(startOf(text)).toContain('is too far away'));
});
