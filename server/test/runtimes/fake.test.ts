import { FakeEngine } from '../../src/runtimes/fake-engine.ts';
import { FakeRuntime } from '../../src/runtimes/fake-runtime.ts';
import { describeRuntime } from '../../src/runtimes/runtime-conformance.ts';

describeRuntime('the fake runtime', async () => {
  const engine = new FakeEngine();
  engine.images.add('fake/image:1');
  const of = (instance: string): FakeRuntime => new FakeRuntime({ engine, instance });
  return { runtime: of('ours'), again: () => of('ours'), stranger: of('theirs'), image: 'fake/image:1', close: async () => undefined };
});
