import { describe, expect, test } from 'vitest';
import { usageOf, type EngineStatistics } from './statistics.ts';

const v1: EngineStatistics = {
  read: '2026-01-01T00:00:00.5Z',
  cpu_stats: { cpu_usage: { total_usage: 1_234_567_890 } },
  memory_stats: { usage: 9_000, max_usage: 20_000, stats: { total_inactive_file: 1_000, inactive_file: 1 } },
  networks: { eth0: { rx_bytes: 100, tx_bytes: 7 }, eth1: { rx_bytes: 1, tx_bytes: 2 } },
  blkio_stats: {
    io_service_bytes_recursive: [
      { op: 'Read', value: 4096 },
      { op: 'Write', value: 10 },
      { op: 'Sync', value: 4096 },
      { op: 'Async', value: 10 },
      { op: 'Total', value: 4106 },
      { op: 'Read', value: 1 },
    ],
  },
};

describe('what an engine counts', () => {
  test('on cgroups v1', () => {
    expect(usageOf(v1)).toEqual({
      cpuMs: 1235,
      memoryBytes: 8_000,
      memoryMaxBytes: 20_000,
      networkReceivedBytes: 101,
      networkSentBytes: 9,
      blockReadBytes: 4097,
      blockWrittenBytes: 10,
    });
  });
  test('on cgroups v2: lower-case disks, no most memory', () => {
    const v2: EngineStatistics = {
      ...v1,
      memory_stats: { usage: 9_000, stats: { inactive_file: 500 } },
      blkio_stats: {
        io_service_bytes_recursive: [
          { op: 'read', value: 3 },
          { op: 'write', value: 4 },
        ],
      },
    };
    expect(usageOf(v2)).toMatchObject({ memoryBytes: 8_500, memoryMaxBytes: null, blockReadBytes: 3, blockWrittenBytes: 4 });
  });
  test('by Podman: no parts of the memory, a most of 0 where it is not counted', () => {
    const podman: EngineStatistics = {
      ...v1,
      memory_stats: { usage: 9_000, max_usage: 0, stats: null },
      networks: { network: { rx_bytes: 5, tx_bytes: 6 } },
      blkio_stats: { io_service_bytes_recursive: [] },
    };
    expect(usageOf(podman)).toMatchObject({
      memoryBytes: 9_000,
      memoryMaxBytes: null,
      networkReceivedBytes: 5,
      networkSentBytes: 6,
      blockReadBytes: 0,
      blockWrittenBytes: 0,
    });
  });
  test('where there is no network, or nobody counts disks and memory', () => {
    const { networks: _, ...bare } = { ...v1, memory_stats: {}, blkio_stats: { io_service_bytes_recursive: null } };
    expect(usageOf(bare)).toMatchObject({
      memoryBytes: null,
      memoryMaxBytes: null,
      networkReceivedBytes: 0,
      networkSentBytes: 0,
      blockReadBytes: null,
      blockWrittenBytes: null,
    });
  });
  test('of a container that does not run: nothing', () => {
    for (const answer of [{ ...v1, read: '0001-01-01T00:00:00Z' }, {}, null, undefined]) expect(usageOf(answer)).toBeUndefined();
  });
});
