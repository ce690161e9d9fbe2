import type { Patience } from '../domain/execution/executor.ts';
import type { RunAnswer, RunStep } from '../domain/execution/run.ts';
import type { ContainerRef } from '../runtimes/runtime.ts';

/** One way of running code in a container. Throws NoAnswer where there is nothing in it that could, ProblemError for refusals. */
export interface Language {
  run(ref: ContainerRef, step: RunStep, patience: Patience): Promise<RunAnswer>;
  interrupt(ref: ContainerRef, runId: string | null, signal: AbortSignal): Promise<void>;
  complete(ref: ContainerRef, line: string, signal: AbortSignal): Promise<readonly string[]>;
}

/** By what an agent in one container knows its session from others with the same home. */
export const nameInside = ({ sessionId, generation, container }: ContainerRef): string =>
  `${sessionId.replaceAll('-', '')}-${generation}-${container}`;
