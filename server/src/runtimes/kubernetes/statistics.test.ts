import { expect, test } from 'vitest';
import { usageIn } from './statistics.ts';

const NET = `net Inter-|   Receive                                                |  Transmit
net face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
net lo:     999     9 0 0 0 0 0 0     999     9 0 0 0 0 0 0
net eth0:    1500    10 0 0 0 0 0 0      700     6 0 0 0 0 0 0
net eth1:20 1 0 0 0 0 0 0 30 1 0 0 0 0 0 0
`;

test('a container of cgroups v2 tells what it has used', () => {
  const told = `cpu usage_usec 2500000
cpu user_usec 2000000
memory 9000
most 12000
parts anon 100
parts inactive_file 1000
disk 8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0
disk 253:0 rbytes=4 wbytes=2 rios=1 wios=2 dbytes=0 dios=0
${NET}end
`;
  expect(usageIn(told)).toEqual({
    cpuMs: 2500,
    memoryBytes: 8000,
    memoryMaxBytes: 12_000,
    networkReceivedBytes: 1520,
    networkSentBytes: 730,
    blockReadBytes: 4100,
    blockWrittenBytes: 8194,
  });
});

test('a container of cgroups v1 tells the same in other words', () => {
  const told = `cpuacct 2500000000
memory 9000
most 12000
parts inactive_file 1
parts total_inactive_file 1000
disk 8:0 Read 4096
disk 8:0 Write 8192
disk 8:0 Total 12288
disk Total 12288
${NET}end
`;
  expect(usageIn(told)).toMatchObject({ cpuMs: 2500, memoryBytes: 8000, blockReadBytes: 4096, blockWrittenBytes: 8192 });
});

test('what is not shown is not counted, rather than nothing', () => {
  expect(usageIn('end\n')).toEqual({
    cpuMs: null,
    memoryBytes: null,
    memoryMaxBytes: null,
    networkReceivedBytes: null,
    networkSentBytes: null,
    blockReadBytes: null,
    blockWrittenBytes: null,
  });
});

test('what is counted, and was not used yet, is nothing', () => {
  expect(usageIn('disk\nnet\nend\n')).toMatchObject({ networkReceivedBytes: 0, blockReadBytes: 0, blockWrittenBytes: 0 });
});
