import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { canCommit, type ContainerRef, type ContainerSpec, type Runtime } from './runtime.ts';

const PATIENCE = { timeout: 60_000, interval: 25 };

interface Stage {
  readonly runtime: () => Runtime;
  readonly started: (changes?: Partial<ContainerSpec>) => Promise<ContainerRef>;
}

/** The part of runtime-conformance.ts about what containers use, and what is kept of their files. */
export function describeUsage({ runtime, started }: Stage): void {
  const untilPhase = (ref: ContainerRef, phase: string): Promise<void> =>
    expect.poll(async () => (await runtime().inspect(ref)).phase, PATIENCE).toBe(phase);

  it('counts what a container has used while it runs, and nothing of one that does not', async () => {
    const ref = await started({ command: ['sh', '-c', 'while :; do :; done'] });
    const first = await runtime().statistics(ref);
    expect(first?.memoryBytes).toBeGreaterThan(0);
    const busyMs = async (): Promise<number> => (await runtime().statistics(ref))?.cpuMs ?? 0;
    await expect.poll(busyMs, PATIENCE).toBeGreaterThan((first?.cpuMs ?? 0) + 100);
    await runtime().stop(ref, 0);
    await untilPhase(ref, 'exited');
    expect(await runtime().statistics(ref)).toBeUndefined();
    await runtime().remove(ref);
    expect(await runtime().statistics(ref)).toBeUndefined();
  });

  it('counts what is written to disks in bytes, where anybody counts it', async () => {
    const ref = await started();
    const written = async (): Promise<number | null> => (await runtime().statistics(ref))?.blockWrittenBytes ?? null;
    const before = await written();
    if (before === null) return;
    const command = ['dd', 'if=/dev/zero', 'of=/tmp/filled', 'bs=1M', 'count=8', 'conv=fsync'];
    const writing = await runtime().exec(ref, { command, tty: null });
    writing.stderr.resume();
    expect(await writing.exited).toBe(0);
    const grown = ((await written()) ?? 0) - before;
    expect(grown === 0 || grown >= 8 * 2 ** 20, `${grown} bytes more`).toBe(true);
  });

  it('makes an image of a container that goes on, and tells so however often it is asked', async () => {
    const committable = runtime();
    if (!canCommit(committable)) return;
    const ref = await started();
    const request = { ref, reference: `localhost/berth/conformance/${randomUUID()}:1`, key: randomUUID() };
    await expect.poll(async () => (await committable.commit(request)).phase, PATIENCE).toBe('done');
    const made = await committable.commit(request);
    expect(await committable.commit(request)).toEqual(made);
    const image = await committable.ensureImage({ node: 'node', reference: request.reference, pull: 'never', key: request.key });
    expect(image).toMatchObject({ phase: 'present', digest: made.phase === 'done' ? made.digest : '' });
    await untilPhase(ref, 'running');
    const gone = committable.commit({ ...request, ref: { ...ref, generation: 9 }, key: randomUUID() });
    await expect(gone).rejects.toMatchObject({ name: 'RuntimeError' });
  });
}
