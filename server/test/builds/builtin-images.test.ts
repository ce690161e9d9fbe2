import Docker from 'dockerode';
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import tar from 'tar-stream';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createBuiltinImageMaker } from '../../src/builds/builtin-images.ts';
import { readRecipe } from '../../src/builds/recipe.ts';
import { BuiltinImageError, type BuiltinImage } from '../../src/domain/images/builtin.ts';

const IMAGE = 'berth/base:latest';
const recipesFolder = join(import.meta.dirname, '../../../images');
const engine = new Docker();

const make = async (): Promise<readonly string[]> => {
  const lines: string[] = [];
  await createBuiltinImageMaker({ recipesFolder }).make(IMAGE, (line) => lines.push(line));
  return lines;
};

beforeAll(async () => void (await make()), 600_000);

/** What a command prints in a fresh container, as user 1000 whose home is empty. */
async function run(command: readonly string[], image: string = IMAGE): Promise<string> {
  const container = await engine.createContainer({
    Image: image,
    Cmd: [...command],
    User: '1000:1000',
    Env: ['HOME=/tmp'],
    WorkingDir: '/tmp',
    Tty: true,
    HostConfig: { NetworkMode: 'none' },
  });
  onTestFinished(async () => container.remove({ force: true, v: true }));
  await withUser(container);
  await container.start();
  await container.wait();
  return (await container.logs({ stdout: true, stderr: true })).toString();
}

/** What a person sees who starts a shell at a terminal and leaves it. */
const atTerminal = (shell: readonly string[], image?: string): Promise<string> =>
  run(['sh', '-c', `echo exit | python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' ${shell.join(' ')}`], image);

/** The entry that Berth gives the owner of a session. */
async function withUser(container: Docker.Container): Promise<void> {
  const archive = tar.pack();
  archive.entry({ name: 'etc/passwd' }, 'alice:x:1000:1000::/tmp:/bin/bash\n');
  archive.finalize();
  await container.putArchive(await buffer(archive), { path: '/' });
}

test('the base image has the promised tools', async () => {
  const tools =
    'python3 --version; git --version; curl --version; tini --version; ssh -V; less --version; ps --version; nano --version; locale';
  const output = await run(['bash', '-c', tools]);
  for (const promised of [
    'Python 3.',
    'git version',
    'curl 8.',
    'tini version',
    'OpenSSH',
    'less ',
    'procps',
    'GNU nano',
    'LANG=C.UTF-8',
  ]) {
    expect(output).toContain(promised);
  }
});

test('a virtual environment can be made without a network', async () => {
  expect(await run(['bash', '-c', 'python3 -m venv ~/venv && ~/venv/bin/pip --version'])).toContain('/tmp/venv/');
});

test.each([
  { shell: ['bash'], prompt: '[BERTH] alice ~ $' },
  { shell: ['bash', '-l'], prompt: '[BERTH] alice ~ $' },
  { shell: ['sh'], prompt: '[BERTH] alice /tmp $' },
  { shell: ['sh', '-l'], prompt: '[BERTH] alice /tmp $' },
])('$shell shows at its prompt that one is inside', async ({ shell, prompt }) => {
  expect(await atTerminal(shell)).toContain(prompt);
});

test('the image names no user, and carries the hash of its recipe and the command bash', async () => {
  expect((await run(['cat', '/etc/shells'])).includes('bash')).toBe(true);
  const { Config: config } = await engine.getImage(IMAGE).inspect();
  expect(config.User ?? '').toBe('');
  expect(config.Cmd).toEqual(['bash']);
  expect(config.Labels?.['berth.recipe']).toBe((await readRecipe(join(recipesFolder, 'base'))).hash);
});

test('an image that is already there is not made again', async () => {
  const before = await engine.getImage(IMAGE).inspect();
  expect(await make()).toEqual([]);
  expect((await engine.getImage(IMAGE).inspect()).Id).toBe(before.Id);
});

/** A recipe of a name of its own, which begins with an image the engine has. */
async function recipeCopy(): Promise<{ folder: string; image: BuiltinImage; from: string }> {
  const name = `test-${randomUUID().slice(0, 8)}`;
  const folder = await mkdtemp(join(tmpdir(), 'berth-recipes-'));
  await cp(join(recipesFolder, 'base'), join(folder, name), { recursive: true });
  const image = `berth/${name}:latest`;
  onTestFinished(async () => {
    await rm(folder, { recursive: true });
    await engine
      .getImage(image)
      .remove({ force: true })
      .catch(() => {});
  });
  return { folder, image: image as BuiltinImage, from: IMAGE };
}

describe('where the image to begin with is there', () => {
  test('the Dockerfile makes the same image, once for all who ask at the same time', async () => {
    const { folder, image, from } = await recipeCopy();
    const log: string[] = [];
    const maker = createBuiltinImageMaker({ recipesFolder: folder, choices: { from }, log: (line) => log.push(line) });
    const heard: string[][] = [[], []];
    await Promise.all(heard.map((lines) => maker.make(image, (line) => lines.push(line))));

    expect(log.filter((line) => line.startsWith(`building ${image}`))).toHaveLength(1);
    expect(heard[0]?.at(-1)).toContain('is ready');
    expect(heard[1]?.at(-1)).toContain('is ready');
    expect(await atTerminal(['bash'], image)).toContain('[BERTH] alice ~ $');
    const [made, base] = await Promise.all([engine.getImage(image).inspect(), engine.getImage(IMAGE).inspect()]);
    expect(made.Config.Cmd).toEqual(base.Config.Cmd);
    expect(made.Config.Env.toSorted()).toEqual(base.Config.Env.toSorted());
  }, 300_000);

  test('a recipe that changed is noticed and the image made again', async () => {
    const { folder, image, from } = await recipeCopy();
    const dockerfile = join(folder, image.slice('berth/'.length, -':latest'.length), 'Dockerfile');
    // Without the packages: what is tested is the label.
    await writeFile(dockerfile, (await readFile(dockerfile, 'utf8')).replace(/^RUN (?:.|\n)*?recipe$/m, 'RUN true'));
    const maker = createBuiltinImageMaker({ recipesFolder: folder, choices: { from } });
    await maker.make(image, () => {});
    const first = await engine.getImage(image).inspect();
    await writeFile(dockerfile, `${await readFile(dockerfile, 'utf8')}ENV CHANGED=yes\n`);
    await maker.make(image, () => {});
    const second = await engine.getImage(image).inspect();
    onTestFinished(
      async () =>
        void (await engine
          .getImage(first.Id)
          .remove({ force: true })
          .catch(() => {})),
    );
    expect(second.Config.Env).toContain('CHANGED=yes');
    expect(second.Config.Labels?.['berth.recipe']).not.toBe(first.Config.Labels?.['berth.recipe']);
  }, 120_000);
});

describe('what cannot be done is said in a sentence', () => {
  const failureOf = async (options: Partial<Parameters<typeof createBuiltinImageMaker>[0]>) => {
    const error: unknown = await createBuiltinImageMaker({ recipesFolder, ...options })
      .make(IMAGE, () => {})
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof BuiltinImageError)) throw new Error('expected it to fail', { cause: error });
    return error.failure;
  };

  test('no engine', async () => {
    const failure = await failureOf({ dockerHost: 'unix:///nonexistent/engine.sock' });
    expect(failure.code).toBe('engine-unavailable');
    expect(failure.message).toContain('there is no engine');
  });

  test('a Debian release that the mirror does not have', async () => {
    const cacheFolder = await mkdtemp(join(tmpdir(), 'berth-cache-'));
    onTestFinished(async () => rm(cacheFolder, { recursive: true }));
    const failure = await failureOf({ cacheFolder, choices: { suite: 'no-such-release', from: 'berth-no-such-image:latest' } });
    expect(failure.code).toBe('image-not-found');
  }, 60_000);

  test('the time limit', async () => {
    const cacheFolder = await mkdtemp(join(tmpdir(), 'berth-cache-'));
    onTestFinished(async () => rm(cacheFolder, { recursive: true }));
    const failure = await failureOf({ cacheFolder, timeLimitMs: 300, choices: { from: 'berth-no-such-image:latest' } });
    expect(failure.code).toBe('timed-out');
  }, 60_000);
});
