import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** CPU time used so far, in ms: of a process with all its threads, and of all processes below it. */
export interface CpuTime {
  readonly own: number;
  readonly below: number;
}

export async function cpuTimeOf(pid: number): Promise<CpuTime> {
  const below = await Promise.all((await descendants(pid)).map(ofProcess));
  return { own: await ofProcess(pid), below: below.reduce((sum, ms) => sum + ms, 0) };
}

export const cpuSince = (before: CpuTime, after: CpuTime): CpuTime => ({ own: after.own - before.own, below: after.below - before.below });

/** The scheduler's own count, in nanoseconds; the usual clock ticks would be as coarse as what is measured. */
async function ofProcess(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const times = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')));
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
}

async function descendants(pid: number): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const parents = await Promise.all(pids.map(async (child) => [child, await parentOf(child)] as const));
  const below = (parent: number): readonly number[] =>
    parents.filter(([, its]) => its === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

async function parentOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

const QUIET_SHARE = 0.15;
const WAIT_AT_MOST_MS = 5_000;

/** Waits until the machine has finished cleaning up after what was before. A machine that is never quiet is measured as it is. */
export async function quiet(): Promise<void> {
  const until = performance.now() + WAIT_AT_MOST_MS;
  for (let before = await machineTime(); performance.now() < until;) {
    await delay(150);
    const now = await machineTime();
    if ((now.busy - before.busy) / (now.all - before.all) < QUIET_SHARE) return;
    before = now;
  }
}

async function machineTime(): Promise<{ busy: number; all: number }> {
  const line = (await readFile('/proc/stat', 'utf8')).split('\n')[0] ?? '';
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, value) => sum + value, 0);
  return { all, busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}
