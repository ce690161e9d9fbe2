import { beforeAll, describe, expect, it } from 'vitest';
import { containerName } from '../../src/runtimes/docker/names.ts';
import { untilPhase } from '../../src/runtimes/runtime-conformance.ts';
import { ENGINES } from '../support/engines.ts';
import { bareEngine } from './engine-benches.ts';
import { eventually, Workbench } from './guarantees.ts';

describe.each(ENGINES)('on $name, a bootstrap script', ({ host }) => {
  const work = new Workbench(host);
  let bare = '';

  beforeAll(async () => {
    bare = await work.image([{ name: 'etc/', type: 'directory', mode: 0o755 }], 'ENTRYPOINT ["/entry"]');
  });

  const past = (ref: Parameters<typeof containerName>[0]) =>
    eventually(async () => (await work.bench.runtime.inspect(ref)).bootstrapping ?? false).toBe(false);

  it('runs as the user, in the work folder, with the variables of the session, and without its input', async () => {
    const ended = await work.ran({
      bootstrapScript: 'id -u; pwd; echo $WORD; cat; echo made >/tmp/made',
      command: ['cat', '/tmp/made'],
      env: { WORD: 'hello' },
      workDir: '/tmp',
    });
    expect(ended).toMatchObject({ exitCode: 0, log: '1000\n/tmp\nhello\nmade\n' });
  });

  it('is read by the interpreter that its first line names', async () => {
    const ended = await work.ran({ bootstrapScript: '#!/usr/bin/env python3\nprint(6 * 7)', command: ['true'] });
    expect(ended).toMatchObject({ exitCode: 0, log: '42\n' });
  });

  it('is nowhere the engine tells of, nor in the container once it is over', async () => {
    const bootstrapScript = 'echo s3cret >/dev/null; touch /tmp/began; while [ ! -e /tmp/go ]; do sleep 0.1; done';
    const ref = await work.started({ bootstrapScript });
    await eventually(async () => (await work.inside(ref, 'ls /tmp/began')).code).toBe(0);
    const container = bareEngine(work.bench).getContainer(containerName(ref));
    for (const told of [await container.inspect(), await container.top()]) expect(JSON.stringify(told)).not.toContain('s3cret');
    await work.inside(ref, 'touch /tmp/go');
    await past(ref);
    expect((await work.inside(ref, 'grep -rs s3cret /run')).output).toBe('');
  });

  it('in an image without a shell is refused in words', async () => {
    const ended = await work.ran({ bootstrapScript: 'true', imageDigest: bare, command: ['/entry'] });
    expect(ended).toMatchObject({ cause: { code: 'no-shell', message: expect.stringContaining('bootstrap script') } });
  });

  it('still lets a command that is not there be told', async () => {
    const ended = await work.ran({ bootstrapScript: 'true', command: ['nosuch'] });
    expect(ended).toMatchObject({ exitCode: 127, cause: { code: 'command-not-found', message: expect.stringContaining('"nosuch"') } });
  });

  it('that nobody handed over, because somebody else started the container, is a failure', async () => {
    const ref = await work.started({ bootstrapScript: 'true' });
    await past(ref);
    await work.bench.runtime.stop(ref, 0);
    await bareEngine(work.bench).getContainer(containerName(ref)).start();
    expect(await untilPhase(work.bench.runtime, ref, 'exited')).toMatchObject({ cause: { code: 'bootstrap-failed' } });
  });
});
