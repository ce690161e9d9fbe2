import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSignedDate } from './signed-date.ts';

test.each([
  ['2026-01-02T03:04:05.678Z', '2026-01-02T03:04:05.678Z', '20260102'],
  ['2026-01-02T03:04:05.678901+00:00', '2026-01-02T03:04:05.678Z', '20260102'],
  ['2026-01-02 03:04:05', '2026-01-02T03:04:05.000Z', '20260102'],
  ['20160930T012345Z', '2016-09-30T01:23:45.000Z', '20160930'],
  ['2026-01-02T03:04', '2026-01-02T03:04:00.000Z', '20260102'],
  ['Fri, 02 Jan 2026 03:04:05 GMT', '2026-01-02T03:04:05.000Z', '20260102'],
  ['2 Jan 2026 03:04:05 EST', '2026-01-02T08:04:05.000Z', '20260102'],
  // The day is the one that was written, in the zone it was written in.
  ['2026-01-02T03:04:05+09:00', '2026-01-01T18:04:05.000Z', '20260102'],
  ['2026-01-02T23:04:05-0500', '2026-01-03T04:04:05.000Z', '20260102'],
])('%s', (text, at, day) => expect(parseSignedDate(text)).toEqual({ at: new Date(at), day }));

test.each(['', 'now', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-01-02T25:00:00Z', '2026-01-02T03:04:05 XYZ', '1767323045'])(
  '%j is no date',
  (text) => expect(parseSignedDate(text)).toBeUndefined(),
);

test('whatever instant is written as programs write it is understood', () => {
  const instants = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(instants, (at) => {
      expect(parseSignedDate(at.toISOString())?.at).toEqual(at);
      expect(parseSignedDate(at.toUTCString())?.at.getTime()).toBe(Math.floor(at.getTime() / 1000) * 1000);
    }),
  );
});

test('no text makes it fail', () => {
  fc.assert(fc.property(fc.string(), (text) => [parseSignedDate(text)].length === 1));
});
