import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf, plainSpec, untilPhase } from '../../src/runtimes/runtime-conformance.ts';
import type { CommitRequest, ContainerRef } from '../../src/runtimes/runtime.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine, engineBench, importImage, IMAGE, removeImage, removeImages, type EngineBench } from './engine-benches.ts';

const FOLDER = 'localhost/berth/commit-test/';

/** What an engine's own commit would tell of a session, and what is kept of it instead. */
describe.each(ENGINES)('on $name an image of a session', ({ host }) => {
  let bench: EngineBench;
  let digest: string;
  const made: ContainerRef[] = [];
  beforeAll(async () => {
    bench = await engineBench(host, { leftoverAfterMs: 0 });
    digest = await digestOf(bench.runtime, IMAGE);
  });
  afterAll(async () => {
    await Promise.all(made.map((ref) => bench.runtime.remove(ref)));
    await removeImages(host, FOLDER);
    await bench.close();
  });

  const started = async (imageDigest: string, changes: Parameters<typeof plainSpec>[1] = {}): Promise<ContainerRef> => {
    const spec = plainSpec(imageDigest, { env: { TOKEN: 'do-not-tell' }, ...changes });
    made.push(spec.ref);
    await bench.runtime.create(spec);
    await bench.runtime.start(spec.ref);
    await untilPhase(bench.runtime, spec.ref, 'running');
    return spec.ref;
  };
  const run = async (ref: ContainerRef, script: string): Promise<string> => {
    const terminal = await bench.runtime.exec(ref, { command: ['sh', '-c', script], tty: null });
    const printed = await text(terminal.stdout);
    expect(await terminal.exited).toBe(0);
    return printed;
  };
  const requestFor = (ref: ContainerRef): CommitRequest => ({ ref, reference: `${FOLDER}${randomUUID()}:1`, key: randomUUID() });
  const commit = async (request: CommitRequest): Promise<string> => {
    for (;;) {
      const state = await bench.runtime.commit(request);
      if (state.phase === 'done') return state.digest;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const drafts = async (): Promise<string[]> =>
    (await bareEngine(bench).listImages()).flatMap(({ RepoTags }) => RepoTags ?? []).filter((name) => name.includes('berth-commit'));

  test('holds what was written, with owners and modes, and what was deleted is not in it', async () => {
    const ref = await started(digest);
    await run(ref, 'mkdir /tmp/made; echo kept >/tmp/made/note; chmod 640 /tmp/made/note; echo gone >/tmp/gone; rm /tmp/gone');
    const next = await started(await commit(requestFor(ref)));
    expect(await run(next, 'cat /tmp/made/note; stat -c "%u %a" /tmp/made/note; ls /tmp/gone 2>/dev/null || echo none')).toBe(
      'kept\n1000 640\nnone\n',
    );
    expect(await drafts()).toEqual([]);
  });

  test('says nothing of how the session was started: no variable, label or command of it', async () => {
    const ref = await started(digest, { command: ['sh', '-c', ': do-not-tell-either; sleep 1000'] });
    const image = await bareEngine(bench)
      .getImage(await commit(requestFor(ref)))
      .inspect();
    const told = JSON.stringify(image);
    expect(told).not.toMatch(/do-not-tell|BERTH_|berth\.(instance|session|owner)|\/home\/ada/);
    expect(told).not.toContain(ref.sessionId);
    const origin = await bareEngine(bench).getImage(digest).inspect();
    expect(image.Config.Cmd).toEqual(origin.Config.Cmd);
    expect(image.Config.Env).toEqual(expect.arrayContaining(origin.Config.Env ?? []));
  });

  test('keeps what its first image says of how it is run', async () => {
    const entries = [{ name: 'x', mode: 0o644, content: 'x' }];
    const lines = ['ENV GREETING="hello there"', 'WORKDIR /srv', 'LABEL maintainer=ada', 'EXPOSE 8888', 'CMD ["one","two three"]'];
    const scratch = await importImage(bench, entries, lines);
    const spec = plainSpec(scratch);
    made.push(spec.ref);
    // Nothing in it can be run; a container that was only made has files, too.
    await bench.runtime.create({ ...spec, command: ['/none'] });
    const { Config: config } = await bareEngine(bench)
      .getImage(await commit(requestFor(spec.ref)))
      .inspect();
    expect(config).toMatchObject({
      WorkingDir: '/srv',
      Cmd: ['one', 'two three'],
      Labels: { maintainer: 'ada' },
      ExposedPorts: { '8888/tcp': {} },
    });
    expect(config.Env).toContain('GREETING=hello there');
    await bench.runtime.remove(spec.ref);
    await removeImage(bench, scratch);
  });

  test('takes the name over from the one before, which does not stay behind', async () => {
    const ref = await started(digest);
    const request = requestFor(ref);
    const first = await commit(request);
    await run(ref, 'echo more >/tmp/more');
    const second = await commit({ ...request, key: randomUUID() });
    expect(second).not.toBe(first);
    await expect(bareEngine(bench).getImage(first).inspect()).rejects.toMatchObject({ statusCode: 404 });
    const { Id } = await bareEngine(bench).getImage(request.reference).inspect();
    expect(Id.replace('sha256:', '')).toBe(second.replace('sha256:', ''));
  });

  test('that a killed server left half made goes with the sweep; another server makes it anew', async () => {
    const ref = await started(digest);
    const request = requestFor(ref);
    const [repo, tag] = [`localhost/berth-commit/${bench.instance.slice(0, 8)}`, request.key];
    const { Id } = await bareEngine(bench).getContainer(`berth-${ref.sessionId}-g1-main1`).inspect();
    await bareEngine(bench).getContainer(Id).commit({ repo, tag });
    expect(await drafts()).toEqual([`${repo}:${tag}`]);
    expect(await commit(request)).toMatch(/[0-9a-f]{64}/);
    expect(await drafts()).toEqual([]);
    await bareEngine(bench).getContainer(Id).commit({ repo, tag: 'abandoned' });
    const next = bench.again();
    await expect
      .poll(
        async () => {
          await next.list();
          return drafts();
        },
        { timeout: 30_000 },
      )
      .toEqual([]);
  });
});
