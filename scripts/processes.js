import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended in between
  }
};

/** Every process whose command line is accepted: { pid, command }. */
export function processes(accept) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: read(`/proc/${name}/cmdline`).split('\0').join(' ').trim() }))
    .filter(({ pid, command }) => pid !== process.pid && command !== '' && accept(command));
}

/** Pids of processes whose environment holds this variable with this value. */
export function processesWithVariable(name, value) {
  const wanted = `${name}=${value}`;
  return processes(() => true).flatMap(({ pid }) => (read(`/proc/${pid}/environ`).split('\0').includes(wanted) ? [pid] : []));
}

/** Alive and not merely waiting to be buried by its parent. */
export function isAlive(pid) {
  const state = /^State:\s+(\w)/m.exec(read(`/proc/${pid}/status`))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Looks every 50 ms until `holds` answers true or the time is over; answers whether it did. */
export async function until(holds, milliseconds) {
  const end = Date.now() + milliseconds;
  for (;;) {
    if (await holds()) return true;
    if (Date.now() > end) return false;
    await sleep(50);
  }
}

/** SIGTERM, and SIGKILL for what is still there after the grace. */
export async function endProcesses(pids, graceMs = 20_000) {
  for (const pid of pids) signal(pid, 'SIGTERM');
  const gone = () => pids.every((pid) => !isAlive(pid));
  if (await until(gone, graceMs)) return;
  for (const pid of pids) if (isAlive(pid)) signal(pid, 'SIGKILL');
  await until(gone, 5_000);
}
