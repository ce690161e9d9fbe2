import { cpus } from 'node:os';
import type { LaunchStep } from '@berth/contract';
import type { Start } from './berth-under-test.ts';
import type { CpuTime } from './cpu-time.ts';
import type { BareStart, Goals, Ground } from './ground.ts';
import { median, spread, table } from './statistics.ts';

export interface Single {
  readonly berth: Start;
  readonly timeline: readonly LaunchStep[];
  /** What the ground itself told of it, in ms since it was asked for. */
  readonly seen: Readonly<Record<string, number>>;
  readonly cpu: CpuTime;
  readonly bare: BareStart;
}
/** So many at once: starts per second, and the control plane's CPU per start in ms. */
export interface Many {
  readonly count: number;
  readonly berthRate: number;
  readonly bareRate: number;
  readonly cpu: CpuTime;
}
export interface Results {
  readonly on: string;
  readonly pairs: readonly Single[];
  readonly many: readonly Many[];
}

type Row = readonly string[];

/** The tables of bench/start, in Markdown, so that they can be quoted. */
export function printResults({ word, goals }: Pick<Ground, 'word' | 'goals'>, { on, pairs, many }: Results): void {
  const bare = `bare ${word}`;
  const counts = [...new Set(many.map(({ count }) => count))].toSorted((a, b) => a - b);
  const crowds = counts.map((count) => many.filter((round) => round.count === count));
  console.log(`\nStarts on ${on}, ${cpus().length} CPUs: ${pairs.length} pairs one at a time, ${crowds[0]?.length ?? 0} rounds at once.`);
  console.log('Median (10th to 90th percentile); the ratios are of medians.\n');
  console.log(table([['', 'Berth', bare, 'ratio', 'goal', ''], oneRow(pairs, goals), ...crowds.map((rounds) => rateRow(rounds, goals))]));
  console.log('\nCPU time of the control plane per start, ms\n');
  console.log(
    table([
      ['', 'server', 'PostgreSQL and others below it', 'together', 'goal', ''],
      cpuRow('one at a time', pairs, goals),
      ...crowds.map((rounds) => cpuRow(`${rounds[0]?.count} at once`, rounds, goals)),
    ]),
  );
  console.log('\nWhere the time of one start goes, ms\n');
  console.log(table([['step', 'Berth', bare], ...stepRows(pairs)]));
  const seen = seenRows(pairs);
  if (seen.length === 0) return;
  console.log('\nWhat a watcher of the cluster saw, ms since the request\n');
  console.log(table([['', 'Berth', bare], ...seen]));
}

function oneRow(pairs: readonly Single[], goals: Goals): Row {
  const berth = pairs.map((pair) => pair.berth.toRunning);
  const bare = pairs.map((pair) => pair.bare.ready);
  const ratio = median(berth) / median(bare);
  return ['one, ms to running', spread(berth), spread(bare), ratio.toFixed(2), `<= ${goals.one}`, verdict(ratio <= goals.one)];
}

function rateRow(rounds: readonly Many[], goals: Goals): Row {
  const berth = rounds.map(({ berthRate }) => berthRate);
  const bare = rounds.map(({ bareRate }) => bareRate);
  const ratio = median(berth) / median(bare);
  const count = rounds[0]?.count;
  const goal = count === 30 && goals.rate !== undefined ? [`>= ${goals.rate}`, verdict(ratio >= goals.rate)] : ['', ''];
  return [`${count} at once, starts per second`, spread(berth, 1), spread(bare, 1), ratio.toFixed(2), ...goal];
}

function cpuRow(name: string, starts: readonly { readonly cpu: CpuTime }[], { cpuMs }: Goals): Row {
  const together = starts.map(({ cpu }) => cpu.own + cpu.below);
  return [
    name,
    spread(
      starts.map(({ cpu }) => cpu.own),
      1,
    ),
    spread(
      starts.map(({ cpu }) => cpu.below),
      1,
    ),
    spread(together, 1),
    ...(cpuMs === undefined ? ['', ''] : [`<= ${cpuMs}`, verdict(median(together) <= cpuMs)]),
  ];
}

const verdict = (met: boolean): string => (met ? 'met' : 'missed');

/** Berth's own steps from its launch timeline; the first and the last row are what the timeline cannot see. */
function stepRows(pairs: readonly Single[]): readonly Row[] {
  const names = [...new Set(pairs.flatMap(({ timeline }) => timeline.map(({ step }) => step)))];
  const steps = names.map((name): Row => {
    const times = pairs.flatMap(({ timeline }) => timeline.filter(({ step }) => step === name).map(durationOf));
    const bare = pairs.flatMap((pair) => pair.bare.steps[name] ?? []);
    return [name === 'create' && bare.length > 0 ? 'create (with its network)' : name, spread(times), spread(bare)];
  });
  return [
    ['until the request was written', spread(pairs.map(({ berth, timeline }) => edge(timeline, 'first') - berth.askedAt)), ''],
    ...steps,
    [
      'until the client heard of it',
      spread(pairs.map(({ berth, timeline }) => berth.askedAt + berth.toRunning - edge(timeline, 'last'))),
      '',
    ],
    ['(the request was answered after)', spread(pairs.map(({ berth }) => berth.toAnswer)), ''],
  ];
}

function seenRows(pairs: readonly Single[]): readonly Row[] {
  const names = [...new Set(pairs.flatMap(({ seen }) => Object.keys(seen)))];
  return names.map((name) => [
    name,
    spread(pairs.flatMap(({ seen }) => seen[name] ?? [])),
    spread(pairs.flatMap(({ bare }) => bare.seen[name] ?? [])),
  ]);
}

const durationOf = ({ startedAt, endedAt }: LaunchStep): number =>
  endedAt === null ? Number.NaN : Date.parse(endedAt) - Date.parse(startedAt);

function edge(timeline: readonly LaunchStep[], which: 'first' | 'last'): number {
  return Date.parse((which === 'first' ? timeline.at(0)?.startedAt : timeline.at(-1)?.endedAt) ?? '');
}
