import type { Output } from '../io.ts';
import { plainText } from './plain-text.ts';

const GAP = 2;
const LEAST = 6;

/** Aligned columns. On a terminal the widest ones are cut until a row fits. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[], out: Output): void {
  const cells = [header, ...rows].map((row) => row.map(plainText));
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  if (out.isTTY && out.columns) fitInto(out.columns, widths);
  for (const row of cells) {
    const line = row.map((cell, column) => cut(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0)).join(' '.repeat(GAP));
    out.write(`${line.trimEnd()}\n`);
  }
}

function fitInto(columns: number, widths: number[]): void {
  const total = (): number => widths.reduce((sum, width) => sum + width, 0) + GAP * (widths.length - 1);
  while (total() > columns) {
    const widest = widths.indexOf(Math.max(...widths));
    const width = widths[widest] ?? 0;
    if (width <= LEAST) return;
    widths[widest] = width - 1;
  }
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`);
