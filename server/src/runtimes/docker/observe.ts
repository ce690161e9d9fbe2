import type { Cause } from '@berth/contract';
import type { ContainerInspectInfo } from 'dockerode';
import {
  bootstrapFailed,
  commandNotFound,
  machineOutOfMemory,
  noShell,
  noShellForBootstrap,
  notExecutable,
  outOfMemory,
} from '../causes.ts';
import type { ContainerRef, Observed } from '../runtime.ts';
import { LOGIN_SHELL } from '../login-shell.ts';
import { isBootstrapLaunch, type BootstrapEvidence } from './bootstrap.ts';
import { UNRESERVED_OOM_SCORE } from './container-spec.ts';

/** What inspect alone does not say about a container that has ended; gathered only then. */
export interface Evidence {
  /** When the engine (Docker) or the machine (Podman) last started. */
  readonly engineStartedAt?: Date | undefined;
  /** The engine leaves containers running while it is down. */
  readonly liveRestore?: boolean;
  /** The kernel's own record of whom it killed: at the container's limit, or because the machine ran out. */
  readonly killedForMemory?: 'limit' | 'machine' | undefined;
  /** The init program printed that it could not execute the command; the exit code a shell has for it. */
  readonly initFailure?: 126 | 127 | undefined;
  /** Where its command came after a bootstrap script. */
  readonly bootstrap?: BootstrapEvidence | undefined;
}

/** The engine's words in ours. */
export function observe(ref: ContainerRef, container: ContainerInspectInfo, evidence: Evidence = {}): Observed {
  const { State: state } = container;
  const startedAt = instant(state.StartedAt);
  switch (state.Status) {
    case 'running':
    case 'restarting':
    case 'stopping':
      return { ref, phase: 'running', ...(startedAt && { startedAt }) };
    case 'paused':
      return { ref, phase: 'frozen', ...(startedAt && { startedAt }) };
    default:
      return hasEnded(container) ? ended(ref, container, evidence) : { ref, phase: 'created' };
  }
}

/** Also one whose start the engine gave up because there is nothing to execute. */
export function hasEnded(container: ContainerInspectInfo): boolean {
  const { State: state } = container;
  if (NEVER_RAN.has(state.Status)) return hasNothingToExecute(container) || wasStarted(container);
  return state.Status !== 'running' && state.Status !== 'paused' && state.Status !== 'restarting' && state.Status !== 'stopping';
}

/** Its process is another than that of `startedAt`: somebody else started it meanwhile, and it may have ended. */
export function wasStartedSince(container: ContainerInspectInfo, startedAt: Date | undefined): boolean {
  const { Running, StartedAt } = container.State;
  return (Running || hasEnded(container)) && instant(StartedAt)?.getTime() !== startedAt?.getTime();
}

export const wasStarted = (container: ContainerInspectInfo): boolean => instant(container.State.StartedAt) !== undefined;

/** Podman calls a container `created` again when the machine was restarted under it. */
const NEVER_RAN: ReadonlySet<string> = new Set(['created', 'configured', 'initialized']);
const isExecFailure = (code: number): boolean => code === 126 || code === 127;

/** The engine itself finds out only where there is no init program; that one tells it later, as the exit code of a start that worked. */
const hasNothingToExecute = (container: ContainerInspectInfo): boolean =>
  container.HostConfig.Init !== true && isExecFailure(container.State.ExitCode) && !wasStarted(container);

/** What the engine could not execute was its init program. */
export const lacksInit = (container: ContainerInspectInfo): boolean =>
  container.HostConfig.Init === true && isExecFailure(container.State.ExitCode) && !wasStarted(container);

function ended(ref: ContainerRef, container: ContainerInspectInfo, evidence: Evidence): Observed {
  const { State: state } = container;
  const startedAt = instant(state.StartedAt);
  const finishedAt = instant(state.FinishedAt);
  const known = causeOf(container, evidence);
  const interrupted = known === undefined && startedAt !== undefined && wasInterrupted(container, { ...evidence, startedAt, finishedAt });
  const cause = known ?? (evidence.bootstrap?.unfinished === true && !interrupted ? bootstrapFailed(state.ExitCode) : undefined);
  return {
    ref,
    phase: 'exited',
    // One that the machine took down had no time for an exit code.
    ...(NEVER_RAN.has(state.Status) && startedAt !== undefined ? {} : { exitCode: evidence.initFailure ?? state.ExitCode }),
    ...(startedAt && { startedAt }),
    ...(finishedAt && { finishedAt }),
    ...(interrupted && { interrupted }),
    ...(cause && { cause }),
  };
}

/**
 * A process that ran before the engine's last start and is gone did not outlive that start. It may have ended by itself
 * earlier: an exit code of a signal, or an end shortly before the start, speaks for the engine.
 */
function wasInterrupted(
  container: ContainerInspectInfo,
  times: Evidence & { readonly startedAt: Date; readonly finishedAt: Date | undefined },
): boolean {
  const { engineStartedAt, startedAt, finishedAt } = times;
  if (NEVER_RAN.has(container.State.Status)) return true;
  if (engineStartedAt === undefined || startedAt >= engineStartedAt) return false;
  if (finishedAt === undefined || finishedAt >= engineStartedAt) return times.liveRestore !== true;
  return container.State.ExitCode >= 128 || engineStartedAt.getTime() - finishedAt.getTime() < RESTART_MS;
}
const RESTART_MS = 180_000;

function causeOf(container: ContainerInspectInfo, evidence: Evidence): Cause | undefined {
  const { ExitCode: code, OOMKilled: flagged } = container.State;
  // The flag alone is set by the death of a child, too: the main process must have died of it.
  if (code === 137 && (flagged || evidence.killedForMemory === 'limit')) return outOfMemory(limitOf(container));
  if (code === 137 && evidence.killedForMemory === 'machine') return machineOutOfMemory;
  if (evidence.initFailure !== undefined) return nothingToExecute(container, evidence.initFailure);
  const complaint = evidence.bootstrap?.notExecuted;
  if (complaint?.code === code) return code === 126 ? notExecutable(complaint.program) : commandNotFound(complaint.program);
  if (hasNothingToExecute(container)) return nothingToExecute(container, code);
  return undefined;
}

const limitOf = ({ HostConfig: host }: ContainerInspectInfo): { memoryBytes: number; reserved: boolean } => ({
  memoryBytes: host.Memory ?? 0,
  reserved: host.OomScoreAdj !== UNRESERVED_OOM_SCORE,
});

function nothingToExecute(container: ContainerInspectInfo, code: number): Cause {
  const { Entrypoint: entrypoint, Cmd: rest } = container.Config;
  const [program, , script] = [...[entrypoint ?? []].flat(), ...(rest ?? [])];
  if (script === LOGIN_SHELL[2]) return noShell;
  if (isBootstrapLaunch(script)) return noShellForBootstrap;
  return code === 126 ? notExecutable(String(program)) : commandNotFound(String(program));
}

function instant(text: string | undefined): Date | undefined {
  const date = new Date(text ?? '');
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() < 1971 ? undefined : date;
}
