import type { Output } from '../io.ts';

/** Undefined where there is no screen: a terminal that nobody gave a size has 0 rows and columns (`script` in a cron job). */
export function terminalSize({ rows, columns }: Output): { rows: number; cols: number } | undefined {
  return rows && columns ? { rows, cols: columns } : undefined;
}
