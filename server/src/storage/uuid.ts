const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** PostgreSQL throws on anything else; what is no id is simply not found. */
export const isUuid = (text: string): boolean => UUID.test(text);

/** First and last id that begin with this text (hyphens optional, at least 4 digits), or undefined where none can. */
export function uuidRange(prefix: string): readonly [string, string] | undefined {
  const digits = prefix.toLowerCase().replaceAll('-', '');
  if (!/^[0-9a-f]{4,32}$/.test(digits)) return undefined;
  const low = hyphenated(digits.padEnd(32, '0'));
  const asWritten = prefix.includes('-') ? low.startsWith(prefix.toLowerCase()) : true;
  return asWritten ? [low, hyphenated(digits.padEnd(32, 'f'))] : undefined;
}

const hyphenated = (digits: string): string => digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
