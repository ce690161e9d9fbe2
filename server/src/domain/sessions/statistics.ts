import type { Statistics } from '@berth/contract';
import { MAIN } from './container-plan.ts';
import type { Session } from './session.ts';

/** What a container has used since its process was started: milliseconds of CPU time, bytes. Null: nobody counts it. */
export type Usage = Omit<Statistics, 'at'>;

/** What is kept of one container: the figures of its process's present life, and the sum of the lives before. */
export interface KeptUsage {
  /** RFC 3339: when `now` was counted. */
  readonly at: string;
  readonly life: string;
  readonly now: Usage;
  readonly before: Usage;
}

/** By container; sessions of several have one for each that was asked. */
export type KeptStatistics = Readonly<Record<string, KeptUsage>>;

/** Asked for by requests: what a session has used up to now. */
export interface LiveStatistics {
  /** Counted for this answer, or a few seconds ago; undefined where it does not run, or nobody answers at once. Never throws. */
  live(session: Session): Promise<KeptStatistics | undefined>;
}

const COUNTERS = ['cpuMs', 'networkReceivedBytes', 'networkSentBytes', 'blockReadBytes', 'blockWrittenBytes'] as const;
const NOTHING: Usage = {
  cpuMs: null,
  memoryBytes: null,
  memoryMaxBytes: null,
  networkReceivedBytes: null,
  networkSentBytes: null,
  blockReadBytes: null,
  blockWrittenBytes: null,
};

/** Engines count from a process's start: another start is another life. */
export const lifeOf = ({ generation, processStartedAt }: Pick<Session, 'generation' | 'processStartedAt'>): string =>
  `${generation} ${processStartedAt?.toISOString() ?? 'new'}`;

/** What is known once this was counted, too. Totals never go back. */
export function withUsage(kept: KeptUsage | undefined, usage: Usage, { life, at }: { life: string; at: Date }): KeptUsage {
  const older = at.toISOString() < (kept?.at ?? '');
  if (kept === undefined || older) return kept ?? { at: at.toISOString(), life, now: usage, before: NOTHING };
  const goesOn = kept.life === life && (usage.cpuMs ?? 0) >= (kept.now.cpuMs ?? 0);
  return {
    at: at.toISOString(),
    life,
    now: goesOn ? joined(kept.now, usage, most) : usage,
    before: goesOn ? kept.before : joined(kept.before, kept.now, sum),
  };
}

/** Over all lives; of the memory, what it is now and the most it ever was. */
export function totalOf({ at, now, before }: KeptUsage): Statistics {
  return { at, ...joined(before, now, sum), memoryBytes: now.memoryBytes };
}

/** The later one of what is known of a session in two places. */
export function later(one: KeptStatistics | null | undefined, other: KeptStatistics | null | undefined): KeptStatistics | null {
  if (one === null || one === undefined) return other ?? null;
  if (other === null || other === undefined) return one;
  return latestOf(one) >= latestOf(other) ? one : other;
}

/** When the latest of its containers was counted; RFC 3339, so that texts compare as times do. */
export const latestOf = (kept: KeptStatistics): string =>
  Object.values(kept)
    .map(({ at }) => at)
    .reduce((latest, at) => (at > latest ? at : latest), '');

type Join = (one: number, other: number) => number;
const sum: Join = (one, other) => one + other;
const most: Join = (one, other) => Math.max(one, other);

/** What only one of both knows is taken as it is. */
function joined(one: Usage, other: Usage, counters: Join): Usage {
  const by = (join: Join, a: number | null, b: number | null): number | null => (a === null || b === null ? (a ?? b) : join(a, b));
  return {
    ...other,
    ...Object.fromEntries(COUNTERS.map((name) => [name, by(counters, one[name], other[name])])),
    memoryMaxBytes: by(most, one.memoryMaxBytes ?? one.memoryBytes, other.memoryMaxBytes ?? other.memoryBytes),
  };
}

/** As it is told: of several containers main1's. */
export function presentStatistics(kept: KeptStatistics | null): Statistics | null {
  const main = kept?.[MAIN];
  return main === undefined ? null : totalOf(main);
}
