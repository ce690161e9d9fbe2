import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { bytesOf, type FuzzRequest } from './requests.ts';
import { Wire, type Outcome, type WireAnswer } from './wire.ts';

const LANES = 16;
const BATCH = 500;
const HEAP_GROWTH_BYTES = 24 * 1024 ** 2;

/** Half a minute on a machine that does nothing else; a million take hours. */
export const FUZZ_TIMEOUT_MS = 14_400_000;

/** How many requests are sent, by BERTH_TEST_FUZZ; `share`: of them, from 0 to 1. */
export const fuzzCount = (share: number): number => Math.round(Number(process.env['BERTH_TEST_FUZZ'] ?? 20_000) * share);
/** By BERTH_TEST_FUZZ_SEED, so that what failed can be repeated. */
const fuzzSeed = (): number => Number(process.env['BERTH_TEST_FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

export interface Campaign {
  readonly url: string;
  readonly count: number;
  readonly requests: fc.Arbitrary<FuzzRequest>;
  /** The headers that make it a request of a client's. */
  readonly signed: (request: FuzzRequest) => Readonly<Record<string, string | undefined>>;
  /** What is wrong with the answer; undefined: nothing. */
  readonly judge: (request: FuzzRequest, answer: WireAnswer) => string | undefined;
}

/** Sends them all, over kept connections. Fails with the first answer that is none, with what was sent and how to repeat it. */
export async function fuzz(campaign: Campaign): Promise<void> {
  const seed = fuzzSeed();
  console.log(`fuzz: ${campaign.count} requests, BERTH_TEST_FUZZ_SEED=${seed}`);
  const wires = Array.from({ length: LANES }, () => new Wire(campaign.url));
  const heap: number[] = [];
  try {
    for (let sent = 0; sent < campaign.count; sent += BATCH) {
      const requests = fc.sample(campaign.requests, { seed: seed + sent, numRuns: Math.min(BATCH, campaign.count - sent) });
      const lane = async (wire: Wire): Promise<void> => {
        for (let request = requests.pop(); request !== undefined; request = requests.pop()) await send(campaign, wire, request);
      };
      await Promise.all(wires.map(lane)).catch((error: unknown) => {
        throw new Error(`after ${sent} requests, BERTH_TEST_FUZZ_SEED=${seed}: ${String(error)}`, { cause: error });
      });
      // What is compiled and cached for the first time is no leak.
      if (sent >= campaign.count / 2) heap.push(heapInUse());
    }
  } finally {
    for (const wire of wires) wire.close();
  }
  expect((heap.at(-1) ?? 0) - (heap[0] ?? 0)).toBeLessThan(HEAP_GROWTH_BYTES);
}

async function send({ signed, judge }: Campaign, wire: Wire, request: FuzzRequest): Promise<void> {
  const headers = { ...signed(request), ...request.headers };
  const bytes = bytesOf({ ...request, headers });
  const { before } = wire;
  if (request.cut) return wire.cut(bytes.subarray(0, Math.ceil(bytes.length / 2)));
  const outcome = await wire.exchange(bytes, { endless: request.endless });
  const wrong = verdict(request, outcome, judge);
  if (wrong !== undefined)
    throw new Error(
      `${wrong}\n${bytes.subarray(0, 4_000).toString('latin1')}\n-> ${shown(outcome)}\nbefore it, on this connection:\n${before}`,
    );
}

function verdict(request: FuzzRequest, outcome: Outcome, judge: Campaign['judge']): string | undefined {
  if (outcome === 'silent') return request.endless ? undefined : 'no answer came';
  if (outcome === 'closed') {
    // Whoever sends more than is taken may be hung up on before the answer is read.
    const harmless = Object.keys(request.headers).length === 0 && (request.body?.length ?? 0) < 1_000_000;
    return harmless ? 'the connection was closed without an answer' : undefined;
  }
  if (!Number.isInteger(outcome.status)) return 'the answer is no HTTP';
  return judge(request, outcome);
}

const shown = (outcome: Outcome): string =>
  typeof outcome === 'string' ? outcome : `${outcome.status} ${JSON.stringify(outcome.headers)} ${outcome.body.slice(0, 1_000)}`;

let collect: (() => void) | undefined;
function heapInUse(): number {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
  return process.memoryUsage().heapUsed;
}
