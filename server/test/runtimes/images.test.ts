import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageRequest, ImageState, Runtime } from '../../src/runtimes/runtime.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine, engineBench, IMAGE, importImage, removeImage, type EngineBench } from './engine-benches.ts';

const registry = process.env['BERTH_TEST_REGISTRY'] ?? '';
const NOWHERE = '127.0.0.1:1';

const request = (reference: string, pull: ImageRequest['pull'] = 'missing'): ImageRequest => ({
  node: 'node',
  reference,
  pull,
  key: randomUUID(),
});

/** Asks until it is there, or throws; answers what it heard on the way. */
async function fetched(runtime: Runtime, asked: ImageRequest): Promise<{ readonly state: ImageState; readonly heard: readonly string[] }> {
  const heard: string[] = [];
  for (;;) {
    const state = await runtime.ensureImage(asked);
    if (state.phase === 'present') return { state, heard };
    if (state.progress !== heard.at(-1)) heard.push(state.progress);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe.each(ENGINES)('on $name, an image', ({ host }) => {
  let bench: EngineBench;
  beforeAll(async () => {
    bench = await engineBench(host);
  });
  afterAll(() => bench.close());

  it('that is there is not asked for anywhere', async () => {
    const { state, heard } = await fetched(bench.runtime, request(IMAGE));
    expect(state).toMatchObject({ phase: 'present', digest: expect.stringMatching(/^(sha256:)?[0-9a-f]{64}$/) });
    expect(heard).toEqual([]);
  });

  it.each([
    ['LABEL berth.resources.min.memory=1GiB', { labels: { 'berth.resources.min.memory': '1GiB' }, exposedPorts: [] }],
    ['EXPOSE 8888', { labels: {}, exposedPorts: [8888] }],
    ['CMD ["/none"]', { labels: {}, exposedPorts: [] }],
  ])('that is there tells what it says of itself: %s', async (change, facts) => {
    const digest = await importImage(bench, [{ name: 'data', mode: 0o644, content: randomUUID() }], change);
    try {
      expect(await bench.runtime.ensureImage(request(digest, 'never'))).toMatchObject({ phase: 'present', facts });
    } finally {
      await removeImage(bench, digest);
    }
  });

  it('of a registry that does not answer is unreachable, to be tried again', async () => {
    await expect(fetched(bench.runtime, request(`${NOWHERE}/nothing:1`))).rejects.toMatchObject({
      kind: 'retry',
      failure: { code: 'image-unreachable' },
    });
  });

  it('that must be fresh is not taken from here when the registry is away', async () => {
    const docker = bareEngine(bench);
    await docker.getImage(IMAGE).tag({ repo: `${NOWHERE}/local`, tag: 'test' });
    try {
      await expect(fetched(bench.runtime, request(`${NOWHERE}/local:test`, 'always'))).rejects.toMatchObject({
        failure: { code: 'image-unreachable' },
      });
      expect(await bench.runtime.ensureImage(request(`${NOWHERE}/local:test`))).toMatchObject({ phase: 'present' });
    } finally {
      await docker.getImage(`${NOWHERE}/local:test`).remove();
    }
  });
});

describe.runIf(registry !== '')('in a registry, an image', () => {
  const docker = ENGINES.find((engine) => engine.name === 'Docker');
  const reference = `${registry}/berth-test/pulled:1`;
  let bench: EngineBench;

  beforeAll(async () => {
    bench = await engineBench(docker?.host ?? '');
    const digest = await importImage(bench, [{ name: 'data', mode: 0o644, content: randomUUID().repeat(100_000) }], 'CMD ["/none"]');
    await bareEngine(bench)
      .getImage(digest)
      .tag({ repo: `${registry}/berth-test/pulled`, tag: '1' });
    expect(await text(await bareEngine(bench).getImage(reference).push({ authconfig: {} }))).not.toContain('"error"');
    await removeImage(bench, digest);
  });
  afterAll(async () => {
    await removeImage(bench, reference);
    await bench.close();
  });

  it('is fetched when it is missing, and every asker of one key joins the fetch', async () => {
    const asked = request(reference);
    const all = await Promise.all([fetched(bench.runtime, asked), fetched(bench.runtime, asked)]);
    expect(all[0]?.state).toEqual(all[1]?.state);
    expect(await bench.runtime.ensureImage(asked)).toEqual(all[0]?.state);
  });

  it('that is not in it is not found, for good', async () => {
    await expect(fetched(bench.runtime, request(`${registry}/berth-test/pulled:2`))).rejects.toMatchObject({
      kind: 'fatal',
      failure: { code: 'image-not-found' },
    });
  });
});
