import { presentStatistics, type KeptStatistics } from '../../domain/sessions/statistics.ts';

/** What a session has used, flat, as their documentation has it: whole numbers, 0 for what nobody counts. Null before it ran. */
export function flatStats(kept: KeptStatistics | null) {
  const statistics = presentStatistics(kept);
  if (statistics === null) return null;
  return {
    cpu_used: statistics.cpuMs ?? 0,
    mem_max_bytes: statistics.memoryMaxBytes ?? 0,
    mem_cur_bytes: statistics.memoryBytes ?? 0,
    net_rx_bytes: statistics.networkReceivedBytes ?? 0,
    net_tx_bytes: statistics.networkSentBytes ?? 0,
    io_read_bytes: statistics.blockReadBytes ?? 0,
    io_write_bytes: statistics.blockWrittenBytes ?? 0,
    io_max_scratch_size: 0,
    io_cur_scratch_size: 0,
  };
}
