import type { V1Pod } from '@kubernetes/client-node';
import type { Usage } from '../../domain/sessions/statistics.ts';
import { outcomeOf } from '../outcome-of.ts';
import type { ClusterClient } from './cluster-client.ts';
import { connectExec, refusalInWords } from './exec-session.ts';
import { mainState } from './main-container.ts';
import { ANNOTATION } from './names.ts';
import { terminalOf } from './stream-terminal.ts';

const LIMITS = { withinMs: 10_000, mostBytes: 64 * 1024 };

/**
 * The kubelet's own figures would need rights over nodes; a container sees its own: so they are read from inside, by its shell
 * alone, which starts no other program. A line with nothing but its mark says that somebody counts.
 */
const READ_COUNTERS = `
told() { [ -r "$1" ] && echo "$2" && while read -r line; do echo "$2 $line"; done <"$1"; }
cd /sys/fs/cgroup 2>/dev/null
told cpu.stat cpu
told cpuacct/cpuacct.usage cpuacct
for folder in . memory; do
  told $folder/memory.current memory
  told $folder/memory.usage_in_bytes memory
  told $folder/memory.peak most
  told $folder/memory.max_usage_in_bytes most
  told $folder/memory.stat parts
done
told io.stat disk
told blkio/blkio.throttle.io_service_bytes_recursive disk || told blkio/blkio.throttle.io_service_bytes disk
told /proc/net/dev net
echo end`;

/** Undefined where its process does not run, or there is no shell to ask. */
export async function statisticsOf(client: ClusterClient, pod: V1Pod | undefined): Promise<Usage | undefined> {
  const name = pod?.metadata?.name;
  if (pod === undefined || name === undefined || !isAtWork(pod)) return undefined;
  const command = ['/bin/sh', '-c', READ_COUNTERS];
  const socket = await refusalInWords(() => connectExec(client, name, { command, tty: false }));
  const outcome = await outcomeOf(terminalOf({ socket, stdin: 'none', showsFailure: false }), { ...LIMITS, isEnough: isWhole });
  return outcome !== undefined && isWhole(outcome.told) ? usageIn(outcome.told) : undefined;
}

const isWhole = (told: string): boolean => told.endsWith('\nend\n') || told === 'end\n';

/** Its status tells of its running some time after it was let run. */
const isAtWork = (pod: V1Pod): boolean => {
  const annotations = pod.metadata?.annotations ?? {};
  return (
    mainState(pod).terminated === undefined && annotations[ANNOTATION.startedAt] !== undefined && annotations[ANNOTATION.gate] !== 'none'
  );
};

/** Of cgroups v1 or v2; what the container does not show is not counted. */
export function usageIn(told: string): Usage {
  const lines = told.split('\n').map((line) => line.trim().split(/\s+/));
  const of = (kind: string): string[][] => lines.filter(([mark]) => mark === kind).map(([, ...words]) => words);
  const first = (kind: string): number | null => amount(of(kind).flat()[0]);
  const named = (kind: string, name: string): number | null => amount(of(kind).find(([key]) => key === name)?.[1]);
  const microseconds = named('cpu', 'usage_usec');
  const nanoseconds = first('cpuacct');
  const used = first('memory');
  const cached = named('parts', 'total_inactive_file') ?? named('parts', 'inactive_file') ?? 0;
  const interfaces = of('net').flatMap(interfaceOf);
  const summed = (kind: string, amounts: readonly number[]): number | null =>
    of(kind).length === 0 ? null : amounts.reduce((total, bytes) => total + bytes, 0);
  return {
    cpuMs: microseconds !== null ? Math.round(microseconds / 1e3) : nanoseconds !== null ? Math.round(nanoseconds / 1e6) : null,
    memoryBytes: used === null ? null : Math.max(used - cached, 0),
    memoryMaxBytes: first('most'),
    networkReceivedBytes: summed(
      'net',
      interfaces.map(({ received }) => received),
    ),
    networkSentBytes: summed(
      'net',
      interfaces.map(({ sent }) => sent),
    ),
    blockReadBytes: summed(
      'disk',
      of('disk').flatMap((words) => transfersIn(words, { v1: 'Read', v2: 'rbytes' })),
    ),
    blockWrittenBytes: summed(
      'disk',
      of('disk').flatMap((words) => transfersIn(words, { v1: 'Write', v2: 'wbytes' })),
    ),
  };
}

/** "eth0: 100 1 0 0 0 0 0 0 200 …": bytes received first, bytes sent ninth. There may be no space behind the colon. */
function interfaceOf(words: readonly string[]): { received: number; sent: number }[] {
  const [, name, rest] = /^(\S+?):(.*)$/.exec(words.join(' ')) ?? [];
  if (name === undefined || rest === undefined || name === 'lo') return [];
  const counters = rest.trim().split(' ').map(Number);
  const [received = Number.NaN, sent = Number.NaN] = [counters[0], counters[8]];
  return Number.isNaN(received) || Number.isNaN(sent) ? [] : [{ received, sent }];
}

/** v1: "8:0 Read 4096"; v2: "8:0 rbytes=4096 wbytes=0 …". */
function transfersIn(words: readonly string[], names: { v1: string; v2: string }): number[] {
  const found = words[1] === names.v1 ? words[2] : words.find((word) => word.startsWith(`${names.v2}=`))?.slice(names.v2.length + 1);
  const bytes = amount(found);
  return bytes === null ? [] : [bytes];
}

const amount = (word: string | undefined): number | null => (word !== undefined && /^\d+$/.test(word) ? Number(word) : null);
