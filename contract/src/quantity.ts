/** Sizes and counts as people write them. Every parser answers the value or a sentence that names the offending text. */

const BINARY = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;
const METRIC = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 } as const;

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string };

const fail = (message: string): { ok: false; message: string } => ({ ok: false, message });

/** "2.5GiB", "10240m", "512MB", "1073741824": bytes. Metric units are powers of 1000 in any case; binary ones exact. */
export function parseBytes(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)\s?([A-Za-z]*)$/.exec(text.trim());
  const how = 'write a number and a unit, such as "512MiB" or "2.5GiB"';
  if (!match?.[1]) return fail(`"${text}" is not a size: ${how}`);
  const factor = unitFactor(match[2] ?? '');
  if (factor === undefined) return fail(`"${text}" has the unknown unit "${match[2]}": ${how}`);
  const bytes = Math.round(Number(match[1]) * factor);
  if (!Number.isSafeInteger(bytes)) return fail(`"${text}" is too large: ${how}`);
  if (bytes < 1) return fail(`"${text}" must be more than nothing: ${how}`);
  return { ok: true, value: bytes };
}

function unitFactor(unit: string): number | undefined {
  if (unit in BINARY) return BINARY[unit as keyof typeof BINARY];
  const metric = unit.toLowerCase().replace(/b$/, '');
  return metric in METRIC ? METRIC[metric as keyof typeof METRIC] : undefined;
}

/** "1", "0.5", "1500m" (thousandths): CPUs, to the thousandth. */
export function parseCpus(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(text.trim());
  const how = 'write a number of CPUs, such as 2, 0.5 or 500m';
  if (!match?.[1]) return fail(`"${text}" is not a number of CPUs: ${how}`);
  const cpus = Math.round(Number(match[1]) * (match[2] === 'm' ? 1 : 1000)) / 1000;
  if (cpus <= 0 || cpus > 100_000) return fail(`"${text}" is not a number of CPUs that can be had: ${how}`);
  return { ok: true, value: cpus };
}

const SECONDS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** "90s", "1h30m", "7d": milliseconds. A unit is required. */
export function parseDuration(text: string): Parsed<number> {
  const how = 'write numbers with units, such as "90s", "1h30m" or "7d"';
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(text.trim())) return fail(`"${text}" is not a duration: ${how}`);
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    ms += Number(count) * SECONDS[unit as keyof typeof SECONDS] * 1000;
  }
  return Number.isSafeInteger(Math.round(ms)) ? { ok: true, value: Math.round(ms) } : fail(`"${text}" is too long: ${how}`);
}

/** 1536 MiB -> "1.5GiB". */
export function formatBytes(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) {
    if (bytes >= BINARY[unit]) return `${Number((bytes / BINARY[unit]).toFixed(1))}${unit}`;
  }
  return `${bytes}B`;
}

/** 5_430_000 -> "1h30m"; two units at most. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1000);
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / SECONDS[unit]);
    if (count > 0) parts.push(`${count}${unit}`);
    rest -= count * SECONDS[unit];
  }
  return parts.slice(0, 2).join('');
}
