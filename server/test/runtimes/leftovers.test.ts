import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { connectDocker } from '../../src/runtimes/docker/docker-runtime.ts';
import { runProgram } from '../../src/runtimes/docker/run-program.ts';
import { bridgeOfSession, containerName, LABEL, networkName } from '../../src/runtimes/docker/names.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine, IMAGE } from './engine-benches.ts';
import { Workbench } from './guarantees.ts';

describe.each(ENGINES)('on $name, what a killed server left behind', ({ host }) => {
  const work = new Workbench(host);
  const networks = async (): Promise<readonly string[]> => (await bareEngine(work.bench).listNetworks()).map((network) => network.Name);

  it('of a session without a container is found, and cleared when asked for', async () => {
    const ref = await work.created();
    await bareEngine(work.bench).getContainer(containerName(ref)).remove({ force: true });
    expect(await work.bench.runtime.traces()).toContain(ref.sessionId);
    expect(await work.bench.stranger.traces()).not.toContain(ref.sessionId);
    await work.bench.runtime.clear(ref.sessionId);
    await work.bench.runtime.clear(ref.sessionId);
    expect(await networks()).not.toContain(networkName(ref.sessionId));
  });

  it('of a network that was made only halfway goes with its session', async () => {
    const spec = work.spec();
    const bridge = bridgeOfSession(spec.ref.sessionId);
    await runProgram('engine.network-create', ['ip', 'link', 'add', bridge, 'type', 'bridge']);
    await work.bench.runtime.create(spec);
    await work.bench.runtime.remove(spec.ref);
    await work.bench.runtime.clear(spec.ref.sessionId);
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
  });

  it("of helper containers goes with the sweep, and nothing of another's", async () => {
    const labels = { [LABEL.instance]: work.bench.instance, [LABEL.throwAway]: 'test' };
    const helper = { Image: IMAGE, Entrypoint: ['/none'] };
    const ours = await bareEngine(work.bench).createContainer({ ...helper, Labels: labels });
    const theirs = await bareEngine(work.bench).createContainer({ ...helper, Labels: { ...labels, [LABEL.instance]: randomUUID() } });
    const present = async (): Promise<readonly string[]> =>
      (await bareEngine(work.bench).listContainers({ all: true })).map((one) => one.Id);
    await work.bench.runtime.list();
    expect(await present()).toContain(ours.id);
    await connectDocker({ ...work.bench.options, leftoverAfterMs: 0 }).list();
    expect(await present()).not.toContain(ours.id);
    expect(await present()).toContain(theirs.id);
    await theirs.remove();
  });
});
