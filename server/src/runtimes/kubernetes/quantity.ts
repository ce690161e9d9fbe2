const FACTOR: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** What the API server accepted: "100m", "1Gi", "128974848", "129e6"; 0 for none and for what no API server would say. */
export function amountOf(quantity: string | number | undefined): number {
  const [, number, unit] = /^([+-]?[\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(String(quantity ?? 0)) ?? [];
  const amount = Number(number) * (FACTOR[unit ?? ''] ?? NaN);
  return Number.isFinite(amount) ? Math.round(amount * 1e9) / 1e9 : 0;
}
