import { describeRuntime } from '../../src/runtimes/runtime-conformance.ts';
import { ENGINES } from '../support/engines.ts';
import { engineBench } from './engine-benches.ts';

for (const { name, host } of ENGINES) describeRuntime(name, () => engineBench(host));
