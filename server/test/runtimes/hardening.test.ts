import { describe, expect, it } from 'vitest';
import { containerName } from '../../src/runtimes/docker/names.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine } from './engine-benches.ts';
import { limits, Workbench } from './guarantees.ts';

const MIB = 2 ** 20;

describe.each(ENGINES)('on $name, a session', ({ name, host }) => {
  const work = new Workbench(host);

  it('is confined as the engine itself reports it', async () => {
    const ref = await work.started({
      limits: limits({ cpus: 0.5, memoryBytes: 96 * MIB, sharedMemoryBytes: 32 * MIB, pids: 77 }),
      reserved: false,
    });
    const docker = bareEngine(work.bench);
    const { HostConfig, Config, NetworkSettings, Mounts } = await docker.getContainer(containerName(ref)).inspect();
    expect(HostConfig).toMatchObject({
      Privileged: false,
      Memory: 96 * MIB,
      MemorySwap: 96 * MIB,
      NanoCpus: 0.5e9,
      PidsLimit: 77,
      ShmSize: 32 * MIB,
      CpuShares: 32,
      OomScoreAdj: 1000,
      IpcMode: name === 'Docker' ? 'private' : 'shareable',
      RestartPolicy: { Name: expect.stringMatching(/^(no)?$/) },
      ReadonlyRootfs: false,
    });
    expect(HostConfig.SecurityOpt).toContainEqual(expect.stringMatching(/^no-new-privileges/));
    expect(HostConfig.SecurityOpt).not.toContain('seccomp=unconfined');
    expect(HostConfig.PortBindings ?? {}).toEqual({});
    expect(HostConfig.Binds ?? []).not.toContainEqual(expect.stringContaining('docker.sock'));
    expect(HostConfig.LogConfig?.Config).toMatchObject(name === 'Docker' ? { 'max-size': '10m', 'max-file': '2' } : {});
    expect(Config.User).toBe('1000:1000');
    expect(Mounts.map((mount) => mount.Destination).toSorted()).toEqual(['/etc/group', '/etc/passwd']);
    expect(Object.keys(NetworkSettings.Networks)).toEqual([`berth-${ref.sessionId}`]);
    const network = await docker.getNetwork(`berth-${ref.sessionId}`).inspect();
    expect(network).toMatchObject({ EnableIPv6: false, Labels: { 'berth.instance': work.bench.instance } });
    expect(network.IPAM?.Config?.[0]?.Subnet).toMatch(/^10\.213\.\d+\.\d+\/28$/);
  });

  it('has no capability, gains none, and is filtered', async () => {
    const ref = await work.started();
    const { output } = await work.inside(ref, 'cat /proc/self/status');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) expect(output).toMatch(new RegExp(`^${set}:\\s+0+$`, 'm'));
    expect(output).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(output).toMatch(/^Seccomp:\s+2$/m);
    const main = await work.inside(ref, 'cat /proc/1/status');
    expect(main.output).toMatch(/^CapEff:\s+0+$/m);
    expect(main.output).toMatch(/^Seccomp:\s+2$/m);
  });

  it('with a reservation is the last to go for want of memory, never below the host itself', async () => {
    const ref = await work.started({ reserved: true, limits: limits({ cpus: 0.5 }) });
    const { output } = await work.inside(ref, 'cat /proc/1/oom_score_adj');
    expect(Number(output)).toBeGreaterThan(0);
    expect(Number(output)).toBeLessThan(1000);
    const { HostConfig } = await bareEngine(work.bench).getContainer(containerName(ref)).inspect();
    expect(HostConfig.CpuShares).toBe(512);
  });

  it('sees no GPU unless one was assigned', async () => {
    const none = await work.ran({ command: ['sh', '-c', 'echo $NVIDIA_VISIBLE_DEVICES'], env: { NVIDIA_VISIBLE_DEVICES: 'all' } });
    expect(none.log).toBe('void\n');
    const two = await work.ran({ command: ['sh', '-c', 'echo $NVIDIA_VISIBLE_DEVICES'], limits: limits({ devices: ['gpu-1', 'gpu-3'] }) });
    expect(two.log).toBe('gpu-1,gpu-3\n');
  });

  it('has its orphans collected', async () => {
    const ref = await work.started();
    await work.inside(ref, '(sleep 0.01 &) ; sleep 0.1');
    const { output } = await work.inside(ref, 'cat /proc/[0-9]*/stat');
    expect(output).not.toMatch(/ Z /);
  });
});
