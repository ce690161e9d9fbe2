import { describe, it } from 'vitest';
import { describeRuntime } from '../../src/runtimes/runtime-conformance.ts';
import { ENGINES } from '../support/engines.ts';
import { engineBench } from './engine-benches.ts';

for (const { name, host } of ENGINES) describeRuntime(name, () => engineBench(host));

describe('engines', () => {
  for (const name of ['Docker', 'Podman']) {
    it.skipIf(!ENGINES.some((engine) => engine.name === name))(`has ${name} to test with`, () => undefined);
  }
});
