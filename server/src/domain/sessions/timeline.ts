import type { LaunchStep } from '@berth/contract';

export type StepName = LaunchStep['step'];

/** The launch timeline: named steps one after the other, kept with the session. Resuming begins a new one. */
export const startTimeline = (now: Date, step: StepName): readonly LaunchStep[] => [
  { step, startedAt: now.toISOString(), endedAt: null, detail: null },
];

/** Ends whatever step is open and opens this one; already open: only its detail changes. */
export function beginStep(timeline: readonly LaunchStep[], step: StepName, now: Date, detail: string | null = null): readonly LaunchStep[] {
  if (timeline.at(-1)?.step === step && timeline.at(-1)?.endedAt === null) {
    return timeline.map((entry, index) => (index === timeline.length - 1 ? { ...entry, detail } : entry));
  }
  return [...closeAll(timeline, now), { step, startedAt: now.toISOString(), endedAt: null, detail }];
}

/** The one that is under way. */
export const openStep = (timeline: readonly LaunchStep[]): LaunchStep | undefined => timeline.findLast(({ endedAt }) => endedAt === null);

export const closeAll = (timeline: readonly LaunchStep[], now: Date): readonly LaunchStep[] =>
  timeline.map((entry) => (entry.endedAt === null ? { ...entry, endedAt: now.toISOString() } : entry));
