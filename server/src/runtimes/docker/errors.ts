import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isDiskFull } from '../causes.ts';
import { RuntimeError } from '../runtime.ts';
import type { EngineAddress } from './engine-address.ts';

/** The engine answered, and said no. Callers look at `status`; who does not, passes it on as the RuntimeError that it is. */
export class EngineRefusal extends RuntimeError {
  readonly status: number;
  /** The engine's own words. */
  readonly said: string;
  constructor(status: number, said: string, options?: ErrorOptions) {
    const full = status >= 500 && isDiskFull(said);
    super(
      status === 400 || status === 403 ? 'fatal' : 'retry',
      {
        code: full ? 'disk-full' : 'rejected',
        message: full ? `the disk of the container engine is full: ${said}` : `the container engine answered ${status}: ${said}`,
        remedy: full ? 'Free space, for example with "docker system prune".' : "The engine's log says more.",
      },
      options,
    );
    this.status = status;
    this.said = said;
  }
}

/** Engines give a full disk no code of its own, only errno's text. */
/** Where an engine's programs are, beside the PATH: a service's PATH often lacks sbin. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/bin'];

/**
 * What dockerode, Node's sockets or a time limit threw, as one of our two kinds of errors.
 * @param programs folders to look for an engine in, so that "not installed" and "not running" are told apart
 */
export function engineError(
  error: unknown,
  address: EngineAddress,
  timedOutAfterMs?: number,
  programs: readonly string[] = [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS],
): RuntimeError {
  if (error instanceof RuntimeError) return error;
  if (hasNumber(error, 'statusCode')) return new EngineRefusal(error.statusCode, saidBy(error), { cause: error });
  const code = hasString(error, 'code') ? error.code : '';
  if (timedOutAfterMs !== undefined) {
    return unreachable(
      `the container engine at ${address.text} did not answer within ${Math.round(timedOutAfterMs / 1000)} s`,
      'It may be overloaded or hanging: look at its log, restart it if need be.',
      error,
    );
  }
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return unreachable(
        `no permission to use the container engine: this user may not open ${address.text}`,
        'Join the socket\'s group ("sudo usermod -aG docker $USER", then sign in again), or use a rootless engine.',
        error,
      );
    case 'ENOENT':
      return isInstalledIn(programs)
        ? notRunning(address, error)
        : unreachable(
            `no container engine is installed: nothing listens at ${address.text}, and neither docker nor podman is here`,
            'Install Docker 20.10 or newer, or Podman 4.3 or newer; or set DOCKER_HOST.',
            error,
          );
    case 'ECONNREFUSED':
      return notRunning(address, error);
    default:
      return unreachable(
        `the container engine at ${address.text} cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
        'Check that it runs and that DOCKER_HOST is right.',
        error,
      );
  }
}

const notRunning = (address: EngineAddress, cause: unknown): RuntimeError =>
  unreachable(
    `the container engine is not running: nobody listens at ${address.text}`,
    'Start it ("sudo systemctl start docker" or "systemctl --user start podman.socket").',
    cause,
  );

const unreachable = (message: string, remedy: string, cause: unknown): RuntimeError =>
  new RuntimeError('unreachable', { code: 'engine-unavailable', message, remedy }, { cause });

const isInstalledIn = (folders: readonly string[]): boolean =>
  folders.some((folder) => ['dockerd', 'docker', 'podman'].some((name) => isExecutable(join(folder, name))));

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // That is the answer, not a failure.
  }
}

function saidBy(error: object): string {
  const body = 'json' in error ? error.json : undefined;
  const said = hasString(body, 'message') ? body.message : error instanceof Error ? error.message : String(error);
  // What dockerode puts before the engine's words where the answer was a stream.
  return said.replace(/^\(HTTP code \d+\) [a-z ]+ - /i, '').trim();
}

const hasNumber = <K extends string>(value: unknown, key: K): value is object & Record<K, number> =>
  typeof value === 'object' && value !== null && key in value && typeof (value as Record<string, unknown>)[key] === 'number';
const hasString = <K extends string>(value: unknown, key: K): value is object & Record<K, string> =>
  typeof value === 'object' && value !== null && key in value && typeof (value as Record<string, unknown>)[key] === 'string';
