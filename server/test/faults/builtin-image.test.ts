import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { engineBench, type EngineBench } from '../runtimes/engine-benches.ts';
import { FAULT_ENGINE, tagImage } from './bed.ts';
import { EngineLedger } from './engine-ledger.ts';
import { FAULT_IMAGE } from './life.ts';

const BASE = 'berth/base:latest';
const ledger = new EngineLedger(FAULT_ENGINE);
const maker = {
  calls: 0,
  fail: (_why: Error): void => undefined,
  make(_image: string, report: (line: string) => void): Promise<void> {
    maker.calls += 1;
    report('unpacking Debian');
    return new Promise((_resolve, reject) => (maker.fail = reject));
  },
};
let bench: EngineBench;
beforeAll(async () => {
  await tagImage(ledger);
  bench = await engineBench(FAULT_ENGINE, { builtinImages: maker });
  await ledger.engine.getImage(BASE).remove({ noprune: true });
});
afterAll(async () => {
  await ledger.engine.getImage(FAULT_IMAGE.replace('docker://', '')).tag({ repo: 'berth/base', tag: 'latest' });
  await bench.close();
});

test('a missing image of our own is made once for all who wait, and they hear how it goes', async () => {
  const ask = (key: string, pull: 'missing' | 'always' = 'missing') =>
    bench.runtime.ensureImage({ node: 'node', reference: BASE, pull, key });
  const [one, other] = [randomUUID(), randomUUID()];
  expect(await ask(one)).toEqual({ phase: 'pulling', progress: 'unpacking Debian' });
  expect(await ask(other, 'always')).toEqual({ phase: 'pulling', progress: 'unpacking Debian' });
  expect(maker.calls).toBe(1);
  maker.fail(new Error('the disk of the recipe broke'));
  await expect.poll(() => ask(one).then(() => 'still waiting', String)).toContain('the disk of the recipe broke');
});
