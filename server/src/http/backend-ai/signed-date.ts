/** When a request was signed, and the calendar day of that in the zone it was written in: the day is part of the key. */
export interface SignedDate {
  readonly at: Date;
  readonly day: string;
}

const ISO = /^(\d{4})-?(\d\d)-?(\d\d)[T ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)? ?([A-Z]{1,4}|[+-]\d\d(?::?\d\d)?)?$/i;
const RFC = /^(?:[a-z]{3,9}, ?)?(\d{1,2})[ -]([a-z]{3})[ -](\d{4}) (\d\d):(\d\d)(?::(\d\d))? ?([A-Z]{1,4}|[+-]\d\d:?\d\d)?$/i;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** Hours from UTC of the zones that mail and web headers name. */
const ZONES: Readonly<Record<string, number>> = {
  Z: 0,
  UT: 0,
  UTC: 0,
  GMT: 0,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
};

/** ISO extended or basic, or as web headers write it; without a zone UTC. undefined: no date. */
export function parseSignedDate(text: string): SignedDate | undefined {
  const iso = ISO.exec(text.trim());
  if (iso !== null) {
    const [, year = '', month = '', day = '', hour = '', minute = '', second = '0', fraction = '', zone = ''] = iso;
    return instant([year, month, day], [hour, minute, second, fraction.slice(0, 3).padEnd(3, '0')], zone);
  }
  const rfc = RFC.exec(text.trim());
  if (rfc === null) return undefined;
  const [, day = '', name = '', year = '', hour = '', minute = '', second = '0', zone = ''] = rfc;
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  return month === 0 ? undefined : instant([year, String(month), day], [hour, minute, second, '0'], zone);
}

function instant(date: readonly string[], time: readonly string[], zone: string): SignedDate | undefined {
  const [year = 0, month = 0, day = 0] = date.map(Number);
  const [hour = 0, minute = 0, second = 0, ms = 0] = time.map(Number);
  const offset = offsetMinutes(zone);
  if (offset === undefined || hour > 23 || minute > 59 || second > 60) return undefined;
  const written = new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms));
  // The 30th of February is no day.
  const midnight = new Date(Date.UTC(year, month - 1, day));
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const digits = [String(year).padStart(4, '0'), String(month).padStart(2, '0'), String(day).padStart(2, '0')];
  return { at: new Date(written.getTime() - offset * 60_000), day: digits.join('') };
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === '') return 0;
  const numeric = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  if (numeric === null) {
    const hours = ZONES[zone.toUpperCase()];
    return hours === undefined ? undefined : hours * 60;
  }
  return (numeric[1] === '-' ? -1 : 1) * (Number(numeric[2]) * 60 + Number(numeric[3] ?? 0));
}
