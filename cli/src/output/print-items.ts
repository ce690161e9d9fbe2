import type { Context } from '../command.ts';
import { printTable } from './table.ts';

interface Column<T> {
  readonly title: string;
  readonly of: (item: T) => string;
}

/** A page: JSON for programs, ids for scripts, a table for people. */
export function printItems<T extends { readonly id: string }>(
  { io, json, quiet }: Context,
  page: { items: readonly T[]; next: string | null },
  { columns, none }: { columns: readonly Column<T>[]; none: string },
): void {
  if (json) {
    io.stdout.write(`${JSON.stringify(page)}\n`);
    return;
  }
  if (quiet) {
    for (const { id } of page.items) io.stdout.write(`${id}\n`);
  } else if (page.items.length === 0) {
    io.stderr.write(`${none}\n`);
  } else {
    printTable(
      columns.map(({ title }) => title),
      page.items.map((item) => columns.map(({ of }) => of(item))),
      io.stdout,
    );
  }
  if (page.next !== null) io.stderr.write(`There are more: add --cursor ${page.next}\n`);
}

/** One thing: the same three forms. */
export function printItem({ io, json, quiet }: Context, item: { readonly id: string }, words: string): void {
  io.stdout.write(`${json ? JSON.stringify(item) : quiet ? item.id : words}\n`);
}
