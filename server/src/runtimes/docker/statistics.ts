import type { Usage } from '../../domain/sessions/statistics.ts';

/** What an engine answers about a container, as far as it is read here. Docker's and Podman's words, of cgroups v1 and v2. */
export interface EngineStatistics {
  /** When it was counted: the year 1 for a container that does not run. */
  readonly read?: string;
  readonly cpu_stats?: { readonly cpu_usage?: { /** Nanoseconds. */ readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    /** v1 only. */
    readonly max_usage?: number;
    readonly stats?: { readonly total_inactive_file?: number; readonly inactive_file?: number } | null;
  };
  /** One for each interface; none without a network. */
  readonly networks?: Readonly<Record<string, { readonly rx_bytes?: number; readonly tx_bytes?: number }>> | null;
  /** One for each disk and kind of access: "Read" where it is v1, "read" where it is v2. */
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
}

/** Undefined for what is no answer about a process. */
export function usageOf(answer: EngineStatistics | null | undefined): Usage | undefined {
  const { read, cpu_stats: cpu, memory_stats: memory, networks, blkio_stats: disks } = answer ?? {};
  if (read === undefined || read.startsWith('0001-')) return undefined;
  const nanoseconds = cpu?.cpu_usage?.total_usage;
  return {
    cpuMs: nanoseconds === undefined ? null : Math.round(nanoseconds / 1e6),
    memoryBytes: memoryInUse(memory),
    // Podman on v2 says 0: it is not counted there.
    memoryMaxBytes: memory?.max_usage || null,
    networkReceivedBytes: summed(Object.values(networks ?? {}).map(({ rx_bytes }) => rx_bytes)),
    networkSentBytes: summed(Object.values(networks ?? {}).map(({ tx_bytes }) => tx_bytes)),
    blockReadBytes: transferred(disks, 'read'),
    blockWrittenBytes: transferred(disks, 'write'),
  };
}

/** Without the files that the kernel only keeps because nobody else needs the room: as `docker stats` shows it. */
function memoryInUse(memory: EngineStatistics['memory_stats']): number | null {
  if (memory?.usage === undefined) return null;
  const cached = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0;
  return Math.max(memory.usage - cached, 0);
}

function transferred(disks: EngineStatistics['blkio_stats'], kind: 'read' | 'write'): number | null {
  const entries = disks?.io_service_bytes_recursive;
  if (entries === undefined || entries === null) return null;
  return summed(entries.filter(({ op }) => op.toLowerCase() === kind).map(({ value }) => value));
}

const summed = (amounts: readonly (number | undefined)[]): number => amounts.reduce<number>((sum, amount) => sum + (amount ?? 0), 0);
