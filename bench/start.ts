import { parseArgs } from 'node:util';
import type { CreateSessionInput } from '@berth/contract';
import { BerthUnderTest } from './berth-under-test.ts';
import { cpuSince, cpuTimeOf, quiet, type CpuTime } from './cpu-time.ts';
import { groundFor, type Bare, type BareStart, type Ground } from './ground.ts';
import { printResults, type Many, type Single } from './start-results.ts';

interface Bench {
  readonly ground: Ground;
  readonly berth: BerthUnderTest;
  readonly bare: Bare;
  readonly body: CreateSessionInput;
  /** Ctrl+C: ends between two measurements, and cleans up. */
  readonly interrupted: AbortSignal;
}

const WARM_UP_PAIRS = 5;
const AT_ONCE = [10, 30];

/**
 * From the request to running: a session through Berth's API against the same container made by bare calls of the engine's or
 * the cluster's API, in pairs of random order on an otherwise idle machine.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runtime: { type: 'string', default: process.env['BERTH_RUNTIME'] ?? 'docker' },
      pairs: { type: 'string', default: '30' },
      rounds: { type: 'string', default: '3' },
      port: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const ground = await groundFor(values.runtime);
  let berth: BerthUnderTest | undefined;
  let bare: Bare | undefined;
  try {
    berth = await BerthUnderTest.start({ ground, profile: values.profile });
    interrupted.signal.throwIfAborted();
    const body = sessionWith(values.port);
    console.error('making the first session, from whose container the bare one is copied');
    const { id } = await berth.start(body);
    bare = await ground.bareLike(await berth.show(id));
    await berth.remove([id], ground);
    const bench: Bench = { ground, berth, bare, body, interrupted: interrupted.signal };
    await singles(bench, WARM_UP_PAIRS);
    const pairs = await singles(bench, Number(values.pairs));
    const many = await crowds(bench, Number(values.rounds));
    printResults(ground, { on: await ground.describe(), pairs, many });
  } finally {
    await bare?.dispose();
    await berth?.dispose();
    await ground.dispose(berth?.instance);
  }
}

/** Ready as soon as its process runs, or with a port as soon as a web server answers. */
function sessionWith(port: boolean): CreateSessionInput {
  const server = 'import http.server; http.server.HTTPServer(("", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()';
  return port ? { command: ['python3', '-c', server], port: 8000 } : { command: ['sleep', 'infinity'] };
}

async function singles(bench: Bench, count: number): Promise<readonly Single[]> {
  const pairs: Single[] = [];
  for (let index = 0; index < count; index += 1) {
    let berth: Omit<Single, 'bare'> | undefined;
    let bare: BareStart | undefined;
    for (const side of shuffled(['berth', 'bare'] as const)) {
      bench.interrupted.throwIfAborted();
      await quiet();
      if (side === 'berth') berth = await throughBerth(bench);
      else bare = await withoutBerth(bench);
    }
    if (berth !== undefined && bare !== undefined) pairs.push({ ...berth, bare });
    progress(`pair ${index + 1} of ${count}`);
  }
  return pairs;
}

async function throughBerth({ berth, body, ground }: Bench): Promise<Omit<Single, 'bare'>> {
  const before = await cpuTimeOf(berth.pid);
  const start = await berth.start(body);
  const cpu = cpuSince(before, await cpuTimeOf(berth.pid));
  const { timeline } = await berth.show(start.id);
  const seen = ground.seen(start.id, start.askedAt);
  await berth.remove([start.id], ground);
  return { berth: start, timeline, seen, cpu };
}

async function withoutBerth({ bare }: Bench): Promise<BareStart> {
  const start = await bare.start();
  await start.remove();
  return start;
}

async function crowds(bench: Bench, rounds: number): Promise<readonly Many[]> {
  const results: Many[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const count of shuffled(AT_ONCE)) {
      const rates = { berth: 0, bare: 0 };
      let cpu: CpuTime = { own: 0, below: 0 };
      for (const side of shuffled(['berth', 'bare'] as const)) {
        bench.interrupted.throwIfAborted();
        await quiet();
        if (side === 'bare') rates.bare = await bareCrowd(bench, count);
        else ({ rate: rates.berth, cpu } = await berthCrowd(bench, count));
      }
      results.push({ count, berthRate: rates.berth, bareRate: rates.bare, cpu });
      progress(`round ${round + 1} of ${rounds}: ${count} at once`);
    }
  }
  return results;
}

async function berthCrowd({ berth, body, ground }: Bench, count: number): Promise<{ rate: number; cpu: CpuTime }> {
  const before = await cpuTimeOf(berth.pid);
  const begun = performance.now();
  const starts = await Promise.all(Array.from({ length: count }, () => berth.start(body)));
  const lasted = performance.now() - begun;
  const { own, below } = cpuSince(before, await cpuTimeOf(berth.pid));
  await berth.remove(
    starts.map(({ id }) => id),
    ground,
  );
  return { rate: (count * 1000) / lasted, cpu: { own: own / count, below: below / count } };
}

async function bareCrowd({ bare }: Bench, count: number): Promise<number> {
  const begun = performance.now();
  const starts: BareStart[] = [];
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      starts.push(await bare.start());
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, bare.atOnce) }, lane));
  const lasted = performance.now() - begun;
  await Promise.all(starts.map((start) => start.remove()));
  return (count * 1000) / lasted;
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

const progress = (line: string): void => void process.stderr.write(process.stderr.isTTY ? `\r${line}   ` : '');
