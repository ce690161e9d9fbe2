import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync, statSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Binaries } from './postgres-binaries.ts';
import { isErrno, processesIn, processIdentity, worksIn } from './process-identity.ts';
import { StorageRefusal } from './refusal.ts';
import type { Account } from './system-user.ts';

export interface ServerPlace {
  readonly binaries: Binaries;
  readonly account: Account;
  readonly cluster: string;
  readonly socketFolder: string;
  readonly logFile: string;
  readonly maxConnections: number;
}

const READY_MS = 60_000;
const FAST_STOP_MS = 20_000;
const DYING_MS = 10_000;
const MAX_LOG_BYTES = 10 * 1024 ** 2;

/** Small: one Berth is the only client. */
const SETTINGS = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  shared_buffers: '16MB',
  work_mem: '2MB',
  maintenance_work_mem: '16MB',
  max_wal_size: '128MB',
  min_wal_size: '32MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  max_worker_processes: '2',
  max_parallel_workers: '0',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '1',
  io_method: 'sync',
  huge_pages: 'off',
  jit: 'off',
  log_timezone: 'UTC',
  timezone: 'UTC',
};

/** A server process: started by this one, or found running. */
export interface ServerProcess {
  readonly pid: number;
  readonly identity: string;
}

/** Makes the cluster, complete or not at all. */
export async function initCluster({ binaries, account, cluster }: ServerPlace): Promise<void> {
  const unfinished = `${cluster}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  const made = spawnSync(
    binaries.initdb,
    [
      '--pgdata',
      unfinished,
      '--username',
      'berth',
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--locale',
      'C',
      '--locale-provider',
      'builtin',
      '--builtin-locale',
      'C.UTF-8',
      '--no-instructions',
    ],
    { ...identityOf(account), cwd: '/', encoding: 'utf8' },
  );
  if (made.status !== 0) {
    throw new StorageRefusal(
      'start-failed',
      `PostgreSQL could not make its data in ${cluster}: ${made.error?.message ?? made.stderr.trim()}`,
    );
  }
  await rename(unfinished, cluster);
}

/** Starts it and waits until it takes connections. It outlives this process, and Ctrl+C at the terminal does not reach it. */
export async function startServer(place: ServerPlace): Promise<ServerProcess> {
  const log = openLog(place);
  const settings = { ...SETTINGS, unix_socket_directories: place.socketFolder, max_connections: String(place.maxConnections) };
  const child = spawn(
    place.binaries.postgres,
    ['-D', place.cluster, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    {
      ...identityOf(place.account),
      cwd: place.cluster,
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  child.unref();
  const pid = await pidOf(child, place);
  await untilReady(child, pid, place);
  return { pid, identity: processIdentity(pid) ?? '' };
}

async function pidOf(child: ChildProcess, place: ServerPlace): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(
        new StorageRefusal('start-failed', `PostgreSQL (${place.binaries.postgres}) could not be run: ${error.message}`, { cause: error }),
      ),
    );
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

async function untilReady(child: ChildProcess, pid: number, place: ServerPlace): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw failedToStart(place);
    const file = readPostmasterFile(place.cluster);
    if (file?.pid === pid && file.ready) return;
    await delay(10);
  }
  process.kill(pid, 'SIGQUIT');
  throw failedToStart(place);
}

function failedToStart({ logFile }: ServerPlace): StorageRefusal {
  const lines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n  ');
  return new StorageRefusal('start-failed', `PostgreSQL did not start. The end of ${logFile}:\n  ${lines}`);
}

/** A server left running on this cluster by a Berth that was killed. */
export function findSurvivor(cluster: string): (ServerProcess & { socketFolder: string; ready: boolean }) | undefined {
  const file = readPostmasterFile(cluster);
  const identity = file === undefined ? undefined : processIdentity(file.pid);
  return file === undefined || identity === undefined || !worksIn(file.pid, cluster) ? undefined : { ...file, identity };
}

/**
 * PostgreSQL does not start over a pid file whose number is in use, be it by another program by now or by a dead server nobody
 * waited for. Where no server works in the cluster any more, nor what it had started, that file and the socket's mean nothing.
 */
export async function clearDeadServer({ cluster, socketFolder }: ServerPlace): Promise<void> {
  for (const deadline = Date.now() + DYING_MS; processesIn(cluster, 'postgres').length > 0; await delay(10)) {
    if (Date.now() > deadline) return;
  }
  const file = readPostmasterFile(cluster);
  if (file !== undefined && processIdentity(file.pid) !== undefined && worksIn(file.pid, cluster)) return;
  await rm(join(cluster, 'postmaster.pid'), { force: true });
  for (const name of await readdir(socketFolder)) await rm(join(socketFolder, name), { force: true });
}

export const isAlive = ({ pid, identity }: ServerProcess): boolean => processIdentity(pid) === identity;

/** Fast: open transactions are rolled back; what was acknowledged is on disk. After a while at once, recovering at the next start. */
export async function stopServer(server: ServerProcess): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (!isAlive(server)) return;
    signalTo(server.pid, signal);
    for (const deadline = Date.now() + FAST_STOP_MS; Date.now() < deadline && isAlive(server);) await delay(10);
  }
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

function readPostmasterFile(cluster: string): { pid: number; socketFolder: string; ready: boolean } | undefined {
  let text: string;
  try {
    text = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const lines = text.split('\n');
  return { pid: Number(lines[0]), socketFolder: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' };
}

/** Opened for the account that writes it; begun anew when it has grown. */
function openLog({ logFile, account }: ServerPlace): number {
  const tooLong = (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
  const log = openSync(logFile, tooLong ? 'w' : 'a', 0o600);
  if (account.other) fchownSync(log, account.uid, account.gid);
  return log;
}

function identityOf({ uid, gid, other }: Account): { uid?: number; gid?: number; env: NodeJS.ProcessEnv } {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  return other ? { uid, gid, env } : { env };
}
