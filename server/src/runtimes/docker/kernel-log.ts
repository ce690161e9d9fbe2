import { closeSync, constants, openSync, readSync } from 'node:fs';

/**
 * Whether the kernel killed a process of this container for memory: at the container's own limit, or because the machine
 * ran out. Undefined also where the log may not be read. It names the control group, and that the container's id.
 */
export function killedForMemory(containerId: string): 'limit' | 'machine' | undefined {
  const record = kernelRecords().findLast(
    (line) => line.includes('oom-kill:') && /task_memcg=([^,]*)/.exec(line)?.[1]?.includes(containerId) === true,
  );
  if (record === undefined) return undefined;
  return record.includes('constraint=CONSTRAINT_MEMCG') ? 'limit' : 'machine';
}

function kernelRecords(): readonly string[] {
  let log: number;
  try {
    log = openSync('/dev/kmsg', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return []; // Not root, or not Linux: then the engine's own word has to do.
  }
  const records: string[] = [];
  const buffer = Buffer.alloc(8192);
  try {
    for (;;) {
      const length = readRecord(log, buffer);
      if (length === 0) return records;
      if (length > 0) records.push(buffer.toString('utf8', 0, length));
    }
  } finally {
    closeSync(log);
  }
}

/** Bytes of one record; 0 at the end; -1 for one that was overwritten under the reader. */
function readRecord(log: number, buffer: Buffer): number {
  try {
    return readSync(log, buffer);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EAGAIN') return 0;
    if (code === 'EPIPE') return -1;
    throw error;
  }
}
