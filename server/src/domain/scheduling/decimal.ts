import type { Parsed } from '@berth/contract';

/** An exact decimal number: digits / 10^scale, without trailing zeros. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const fail = (message: string): { ok: false; message: string } => ({ ok: false, message });

/** "2", "0.30", "1_000", "1e3": fractions are kept. */
export function parseCount(text: string): Parsed<Decimal> {
  const value = parseDecimal(text.trim());
  return value === undefined ? fail(`"${text}" is no count: write a number such as 2 or 0.5`) : { ok: true, value };
}

const LETTERS = 'kmgtpezy';

/** "4g", "4GiB", "512MB", "1.5g", "1073741824": whole bytes, each letter a power of 1024. */
export function parseByteSize(text: string): Parsed<Decimal> {
  const how = 'write a size such as 512m, 4g or 1.5GiB';
  const match = /^([\d_.]+(?:e[+-]?\d+)?) ?(?:([kmgtpezy])(?:i?b|i?bytes?)?|b|bytes?)?$/i.exec(text.trim());
  const number = match?.[1] === undefined ? undefined : parseDecimal(match[1]);
  if (match === null || number === undefined) return fail(`"${text}" is no size: ${how}`);
  const power = match[2] === undefined ? 0 : LETTERS.indexOf(match[2].toLowerCase()) + 1;
  const bytes = normal(number.digits * 1024n ** BigInt(power), number.scale);
  return bytes.scale === 0 ? { ok: true, value: bytes } : fail(`"${text}" is no whole number of bytes: ${how}`);
}

/** Decimals as they are written; exponents only as far as a size or a count can go. */
function parseDecimal(text: string): Decimal | undefined {
  const match = /^(\d[\d_]*)?(?:\.(\d[\d_]*)?)?(?:e([+-]?\d{1,2}))?$/i.exec(text);
  if (match === null || text.length > 64) return undefined;
  const [whole, fraction] = [match[1], match[2]].map((part) => (part ?? '').replaceAll('_', ''));
  if (whole === '' && fraction === '') return undefined;
  const scale = (fraction ?? '').length - Number(match[3] ?? 0);
  const digits = BigInt(`0${whole}${fraction}`);
  return scale < 0 ? { digits: digits * 10n ** BigInt(-scale), scale: 0 } : normal(digits, scale);
}

function normal(digits: bigint, scale: number): Decimal {
  if (scale === 0 || digits % 10n !== 0n) return { digits, scale };
  return digits === 0n ? { digits, scale: 0 } : normal(digits / 10n, scale - 1);
}

/** Unscaled, never in exponents: "0.5", "4294967296". */
export function formatDecimal({ digits, scale }: Decimal): string {
  const text = digits.toString().padStart(scale + 1, '0');
  return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** The nearest number, for what is counted in numbers here. */
export const toNumber = (value: Decimal): number => Number(formatDecimal(value));

/** As a number is written: exact for what has at most 15 digits. */
export function decimalOf(value: number): Decimal {
  const parsed = parseDecimal(String(value));
  if (parsed === undefined) throw new Error(`${value} is no count`);
  return parsed;
}

/** Less than 0: the first is smaller. */
export function compare(a: Decimal, b: Decimal): number {
  const scale = Math.max(a.scale, b.scale);
  const difference = a.digits * 10n ** BigInt(scale - a.scale) - b.digits * 10n ** BigInt(scale - b.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The next multiple of 10^-places that is not smaller. */
export function roundedUp({ digits, scale }: Decimal, places: number): Decimal {
  if (scale <= places) return { digits, scale };
  const factor = 10n ** BigInt(scale - places);
  return normal((digits + factor - 1n) / factor, places);
}
