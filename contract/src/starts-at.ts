import type { Parsed } from './quantity.ts';

/** When a session may start: at an instant, or so long after it was asked for (never, or less than nothing: at once). */
export type StartsAt = { readonly at: string } | { readonly inMs: number };

const DATE = String.raw`(?<date>\d{4}-\d{2}-\d{2})`;
const TIME = String.raw`(?<hours>\d{2})(?::(?<minutes>\d{2})(?::(?<seconds>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?)?`;
const ZONE = String.raw`(?<zone>Z|[+-]\d{2}(?::?\d{2})?)`;
const INSTANT = new RegExp(`^${DATE}(?:[T ]${TIME}${ZONE}?)?$`, 'i');

const UNITS = [
  { ms: 86_400_000, words: 'days?|d' },
  { ms: 3_600_000, words: 'hours?|hrs?|h' },
  { ms: 60_000, words: 'minutes?|mins?|m' },
  { ms: 1_000, words: 'seconds?|secs?|s' },
] as const;
const NUMBER = String.raw`(\d+(?:\.\d*)?|\.\d+)`;
const PARTS = new RegExp(String.raw`^([+-])?\s*${UNITS.map(({ words }) => String.raw`(?:${NUMBER}\s*(?:${words})\s*)?`).join('')}$`, 'i');
const BARE_SECONDS = new RegExp(`^([+-])?${NUMBER}$`);

/** As far ahead as anybody plans, and a date that every part of Berth can hold. */
const FARTHEST_MS = 100 * 365 * 86_400_000;

/** "2026-12-24T18:00" (ISO 8601; without a zone: UTC), or from now: "5m", "1d1hr", "2 hours 15min", "300" (seconds). */
export function parseStartsAt(text: string): Parsed<StartsAt> {
  const trimmed = text.trim();
  const how = 'write an instant such as "2026-12-24T18:00Z", or how long from now, such as "5m" or "1d 2h"';
  const match = INSTANT.exec(trimmed);
  if (match !== null) {
    const at = instantOf(match.groups ?? {});
    return at === undefined
      ? { ok: false, message: `"${text}" is no date there is: ${how}` }
      : { ok: true, value: { at: at.toISOString() } };
  }
  const inMs = durationOf(trimmed);
  if (inMs === undefined) return { ok: false, message: `"${text}" is no point in time: ${how}` };
  if (inMs > FARTHEST_MS) return { ok: false, message: `"${text}" is too far away: ${how}` };
  return { ok: true, value: { inMs } };
}

/** For a request that was made at `now`. */
export const startingInstant = (startsAt: StartsAt, now: Date): Date =>
  'at' in startsAt ? new Date(startsAt.at) : new Date(now.getTime() + startsAt.inMs);

function instantOf(groups: Readonly<Record<string, string | undefined>>): Date | undefined {
  const { date = '', hours = '00', minutes = '00', seconds = '00', fraction = '0', zone = 'Z' } = groups;
  // Date would make the 2nd of March of February 30, and 1:00 of 25:00.
  const plain = new Date(`${date}T${hours}:${minutes}:${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  if (Number.isNaN(plain.getTime()) || plain.toISOString().slice(0, 13) !== `${date}T${hours}`) return undefined;
  const [, sign, zoneHours = '0', zoneMinutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? [];
  if (Number(zoneHours) > 23 || Number(zoneMinutes) > 59) return undefined;
  const offsetMs = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return new Date(plain.getTime() - (sign === '-' ? -offsetMs : offsetMs));
}

function durationOf(text: string): number | undefined {
  const bare = BARE_SECONDS.exec(text);
  if (bare !== null) return signed(bare[1], Number(bare[2]) * 1_000);
  const [, sign, ...counts] = PARTS.exec(text) ?? [];
  if (counts.every((count) => count === undefined)) return undefined;
  return signed(
    sign,
    UNITS.reduce((sum, { ms }, index) => sum + Number(counts[index] ?? 0) * ms, 0),
  );
}

const signed = (sign: string | undefined, ms: number): number => Math.round(sign === '-' ? -ms : ms);
