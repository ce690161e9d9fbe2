import { setTimeout as delay } from 'node:timers/promises';
import { formatBytes, formatDuration, type Client, type SessionStatistics } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import { patiently } from '../connection/patiently.ts';
import { printItems } from '../output/print-items.ts';
import { age } from '../output/words.ts';

interface StatsOptions {
  readonly watch?: true;
}

const WATCH_EVERY_MS = 2_000;
const AT_ONCE = 16;
const CLEAR = '\x1b[H\x1b[J';

export const define: Define = (command, run) => {
  command
    .argument('[session...]', 'ids, beginnings of ids, or names; without one all of yours that are live')
    .option('-w, --watch', 'again every two seconds, with the share of CPUs between')
    .action((sessions: string[], options: StatsOptions) => run((context) => showStats(sessions, options, context)));
};

/** Watching ends when none of the named sessions runs any more. */
export async function showStats(names: readonly string[], { watch }: StatsOptions, context: Context): Promise<number> {
  const { client } = await context.connect();
  let before: readonly SessionStatistics[] = [];
  for (;;) {
    const items = await patiently(() => read(client, names));
    if (watch && context.io.stdout.isTTY && !context.json && !context.quiet) context.io.stdout.write(CLEAR);
    show(items, before, context);
    if (!watch || (names.length > 0 && items.every(({ live }) => !live))) return 0;
    before = items;
    await delay(WATCH_EVERY_MS);
  }
}

async function read(client: Client, names: readonly string[]): Promise<readonly SessionStatistics[]> {
  const sessions = names.length > 0 ? names : (await client.listSessions({ query: { limit: 200 } })).items.map(({ id }) => id);
  const items: SessionStatistics[] = [];
  for (let at = 0; at < sessions.length; at += AT_ONCE) {
    const some = sessions.slice(at, at + AT_ONCE);
    items.push(...(await Promise.all(some.map((session) => client.getSessionStatistics({ params: { session } })))));
  }
  return items;
}

function show(items: readonly SessionStatistics[], before: readonly SessionStatistics[], context: Context): void {
  const now = context.io.now();
  const earlier = new Map(before.map((one) => [one.id, one]));
  const bytes = (amount: number | null | undefined): string => (amount === null || amount === undefined ? '-' : formatBytes(amount));
  const columns = [
    { title: 'NAME', of: ({ name }: SessionStatistics) => name },
    { title: 'CPU TIME', of: ({ statistics }: SessionStatistics) => duration(statistics?.cpuMs) },
    ...(before.length > 0 ? [{ title: 'CPU', of: (one: SessionStatistics) => cpuShare(earlier.get(one.id), one) }] : []),
    { title: 'MEMORY', of: ({ statistics }: SessionStatistics) => bytes(statistics?.memoryBytes) },
    { title: 'MOST', of: ({ statistics }: SessionStatistics) => bytes(statistics?.memoryMaxBytes) },
    { title: 'RECEIVED', of: ({ statistics }: SessionStatistics) => bytes(statistics?.networkReceivedBytes) },
    { title: 'SENT', of: ({ statistics }: SessionStatistics) => bytes(statistics?.networkSentBytes) },
    { title: 'READ', of: ({ statistics }: SessionStatistics) => bytes(statistics?.blockReadBytes) },
    { title: 'WRITTEN', of: ({ statistics }: SessionStatistics) => bytes(statistics?.blockWrittenBytes) },
    { title: 'COUNTED', of: (one: SessionStatistics) => countedWords(one, now) },
  ];
  printItems(context, { items, next: null }, { columns, none: 'None of your sessions is live.' });
}

const duration = (ms: number | null | undefined): string => (ms === null || ms === undefined ? '-' : formatDuration(ms));

/** "150%": one CPU and a half, between two counts. */
export function cpuShare(before: SessionStatistics | undefined, now: SessionStatistics): string {
  const [from, to] = [before?.statistics, now.statistics];
  if (!from || !to || from.cpuMs === null || to.cpuMs === null) return '-';
  const ms = Date.parse(to.at) - Date.parse(from.at);
  return ms > 0 ? `${Math.round((Math.max(to.cpuMs - from.cpuMs, 0) / ms) * 100)}%` : '-';
}

function countedWords({ live, statistics }: SessionStatistics, now: Date): string {
  if (statistics === null) return 'never';
  return live ? 'now' : `${age(statistics.at, now)} ago`;
}
