import { describe, expect, it } from 'vitest';
import { containerName, networkName } from '../../src/runtimes/docker/names.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine } from './engine-benches.ts';
import { eventually, Workbench } from './guarantees.ts';

describe.each(ENGINES)('on $name, what others do to the engine', ({ host }) => {
  const work = new Workbench(host);

  it('to the network of a stopped session is undone by its next start', async () => {
    const ref = await work.started();
    await work.bench.runtime.stop(ref, 0);
    const docker = bareEngine(work.bench);
    const network = docker.getNetwork(networkName(ref.sessionId));
    await network.disconnect({ Container: containerName(ref) });
    await network.remove();
    await work.bench.runtime.start(ref);
    await eventually(() => work.bench.runtime.endpoint(ref, 1)).toMatchObject({ host: expect.stringMatching(/^10\.213\./) });
  });

  it('to the network of a session that was not started yet is undone by its start', async () => {
    const ref = await work.created();
    const network = bareEngine(work.bench).getNetwork(networkName(ref.sessionId));
    await network.disconnect({ Container: containerName(ref), Force: true }).catch(() => undefined);
    await network.remove();
    await work.bench.runtime.start(ref);
    await eventually(() => work.bench.runtime.endpoint(ref, 1)).toMatchObject({ host: expect.stringMatching(/^10\.213\./) });
  });

  it('by taking a running session out of its network is undone when it is looked for', async () => {
    const ref = await work.started();
    await bareEngine(work.bench)
      .getNetwork(networkName(ref.sessionId))
      .disconnect({ Container: containerName(ref), Force: true });
    await eventually(() => work.bench.runtime.endpoint(ref, 1)).toMatchObject({ host: expect.stringMatching(/^10\.213\./) });
  });

  it('by removing a container is told as absence', async () => {
    const ref = await work.started();
    await bareEngine(work.bench).getContainer(containerName(ref)).remove({ force: true });
    expect(await work.bench.runtime.inspect(ref)).toEqual({ ref, phase: 'absent' });
    await expect(work.bench.runtime.start(ref)).rejects.toMatchObject({ failure: { code: 'container-lost' } });
  });

  it('by killing a process is told as its exit', async () => {
    const ref = await work.started();
    await bareEngine(work.bench).getContainer(containerName(ref)).kill();
    await eventually(() => work.bench.runtime.inspect(ref)).toMatchObject({ phase: 'exited', exitCode: 137 });
    expect((await work.bench.runtime.inspect(ref)).cause).toBeUndefined();
  });

  it('being servers of the same installation, makes no second network of a session', async () => {
    const spec = work.spec();
    await Promise.all(Array.from({ length: 6 }, () => work.bench.again().create(spec)));
    const named = (await bareEngine(work.bench).listNetworks()).filter((network) => network.Name === networkName(spec.ref.sessionId));
    expect(named).toHaveLength(1);
    await work.bench.runtime.start(spec.ref);
    await eventually(() => work.bench.runtime.endpoint(spec.ref, 1)).toMatchObject({ host: expect.any(String) });
  });

  it('with networks of the same addresses is stepped around', async () => {
    const docker = bareEngine(work.bench);
    const ref = await work.started();
    const network = await docker.getNetwork(networkName(ref.sessionId)).inspect();
    const subnet = network.IPAM?.Config?.[0]?.Subnet ?? '';
    await work.bench.runtime.remove(ref);
    await eventually(async () => (await docker.listNetworks()).map((one) => one.Name)).not.toContain(networkName(ref.sessionId));
    const squatter = await docker.createNetwork({
      Name: `squatter-${ref.sessionId}`,
      Driver: 'bridge',
      IPAM: { Config: [{ Subnet: subnet }] },
    });
    try {
      const again = { ...work.spec(), ref: { ...ref, generation: 2 } };
      await work.bench.runtime.create(again);
      const other = await docker.getNetwork(networkName(ref.sessionId)).inspect();
      expect(other.IPAM?.Config?.[0]?.Subnet).not.toBe(subnet);
      await work.bench.runtime.remove(again.ref);
    } finally {
      await squatter.remove();
    }
  });
});
