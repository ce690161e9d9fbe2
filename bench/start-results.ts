import { cpus } from 'node:os';
import type { LaunchStep } from '@berth/contract';
import type { BareStart } from './bare-engine.ts';
import type { Start } from './berth-under-test.ts';
import type { CpuTime } from './cpu-time.ts';
import { median, spread, table } from './statistics.ts';

export interface Single {
  readonly berth: Start;
  readonly timeline: readonly LaunchStep[];
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
  readonly engine: string;
  readonly pairs: readonly Single[];
  readonly many: readonly Many[];
}

const GOALS = { one: 1.15, rate: 0.9, cpuMs: 20 };
type Row = readonly string[];

/** The tables of bench/start, in Markdown, so that they can be quoted. */
export function printResults({ engine, pairs, many }: Results): void {
  const counts = [...new Set(many.map(({ count }) => count))].toSorted((a, b) => a - b);
  const crowds = counts.map((count) => many.filter((round) => round.count === count));
  console.log(
    `\nStarts on ${engine}, ${cpus().length} CPUs: ${pairs.length} pairs one at a time, ${crowds[0]?.length ?? 0} rounds at once.`,
  );
  console.log('Median (10th to 90th percentile); the ratios are of medians.\n');
  console.log(table([['', 'Berth', 'bare engine', 'ratio', 'goal', ''], oneRow(pairs), ...crowds.map(rateRow)]));
  console.log('\nCPU time of the control plane per start, ms\n');
  console.log(
    table([
      ['', 'server', 'PostgreSQL and others below it', 'together', 'goal', ''],
      cpuRow('one at a time', pairs),
      ...crowds.map((rounds) => cpuRow(`${rounds[0]?.count} at once`, rounds)),
    ]),
  );
  console.log('\nWhere the time of one start goes, ms\n');
  console.log(table([['step', 'Berth', 'bare engine'], ...stepRows(pairs)]));
}

function oneRow(pairs: readonly Single[]): Row {
  const berth = pairs.map((pair) => pair.berth.toRunning);
  const bare = pairs.map((pair) => pair.bare.ready);
  const ratio = median(berth) / median(bare);
  return ['one, ms to running', spread(berth), spread(bare), ratio.toFixed(2), `<= ${GOALS.one}`, verdict(ratio <= GOALS.one)];
}

function rateRow(rounds: readonly Many[]): Row {
  const berth = rounds.map(({ berthRate }) => berthRate);
  const bare = rounds.map(({ bareRate }) => bareRate);
  const ratio = median(berth) / median(bare);
  const count = rounds[0]?.count;
  const goal = count === 30 ? [`>= ${GOALS.rate}`, verdict(ratio >= GOALS.rate)] : ['', ''];
  return [`${count} at once, starts per second`, spread(berth, 1), spread(bare, 1), ratio.toFixed(2), ...goal];
}

function cpuRow(name: string, starts: readonly { readonly cpu: CpuTime }[]): Row {
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
    `<= ${GOALS.cpuMs}`,
    verdict(median(together) <= GOALS.cpuMs),
  ];
}

const verdict = (met: boolean): string => (met ? 'met' : 'missed');

/** Berth's own steps from its launch timeline; the first and the last row are what the timeline cannot see. */
function stepRows(pairs: readonly Single[]): readonly Row[] {
  const bare: Readonly<Record<string, readonly number[]>> = {
    create: pairs.map((pair) => pair.bare.create),
    start: pairs.map((pair) => pair.bare.start - pair.bare.create),
    ready: pairs.map((pair) => pair.bare.ready - pair.bare.start),
  };
  const names = [...new Set(pairs.flatMap(({ timeline }) => timeline.map(({ step }) => step)))];
  const steps = names.map((name): Row => {
    const times = pairs.flatMap(({ timeline }) => timeline.filter(({ step }) => step === name).map(durationOf));
    return [name === 'create' ? 'create (with its network)' : name, spread(times), bare[name] === undefined ? '' : spread(bare[name])];
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

const durationOf = ({ startedAt, endedAt }: LaunchStep): number =>
  endedAt === null ? Number.NaN : Date.parse(endedAt) - Date.parse(startedAt);

function edge(timeline: readonly LaunchStep[], which: 'first' | 'last'): number {
  return Date.parse((which === 'first' ? timeline.at(0)?.startedAt : timeline.at(-1)?.endedAt) ?? '');
}
