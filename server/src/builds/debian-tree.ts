import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { aptProgress } from './apt-progress.ts';
import { failureOfOutput, imageFailure } from './build-failure.ts';
import { debianSources, hasApt } from './debian-sources.ts';
import { privateAuthorities, overlayTar } from './recipe-tar.ts';
import type { Recipe } from './recipe.ts';
import { runTool } from './run-tool.ts';

export interface TreeOptions {
  readonly cacheFolder: string;
  /** As Debian names it: amd64, arm64. */
  readonly architecture: string;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

const KEPT_TREES = 2;
/** Older ones are made again, for Debian's security updates. */
const KEPT_FOR_MS = 30 * 24 * 3600 * 1000;
const NEEDED_BYTES = 2 * 1024 ** 3;

/** A tar of the recipe's Debian tree, in the cache. Several processes may ask at once: one makes it, the others wait for it. */
export async function debianTree(recipe: Recipe, options: TreeOptions): Promise<string> {
  await mkdir(options.cacheFolder, { recursive: true, mode: 0o700 });
  const overlay = await overlayTar(recipe, await privateAuthorities());
  const key = createHash('sha256').update(recipe.hash).update(overlay).digest('hex').slice(0, 24);
  const tree = join(options.cacheFolder, `tree-${key}-${options.architecture}.tar`);
  if (await isFresh(tree)) {
    options.report('using the Debian tree made earlier');
    return tree;
  }
  await checkSpace(options.cacheFolder);
  await ensureMmdebstrap(options);
  await makeTree({ recipe, tree, overlay, options });
  await forgetOldTrees(options.cacheFolder);
  return tree;
}

async function isFresh(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => undefined);
  if (made === undefined) return false;
  if (Date.now() - made.mtimeMs < KEPT_FOR_MS) return true;
  await rm(path, { force: true });
  return false;
}

async function checkSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= NEEDED_BYTES) return;
  throw imageFailure(
    'disk-full',
    `making the image needs 2 GiB in ${folder}, ${Math.floor((bavail * bsize) / 1024 ** 2)} MiB are free`,
    'Free some, or set XDG_CACHE_HOME to a folder on a larger disk',
  );
}

const INSTALL = ['apt-get', 'install', '--yes', '--no-install-recommends', 'mmdebstrap', 'debian-archive-keyring'] as const;

async function ensureMmdebstrap({ report, signal }: TreeOptions): Promise<void> {
  if (await isInstalled()) return;
  const missing = 'no registry has the Debian image, and mmdebstrap, which makes it from packages, is not installed';
  if (!(await hasApt())) throw imageFailure('image-unreachable', missing, 'Give the engine access to a registry, or install mmdebstrap');
  if (process.getuid?.() !== 0) throw imageFailure('image-unreachable', missing, `Run: sudo ${INSTALL.join(' ')}`);
  report('installing mmdebstrap, which makes the image from Debian packages');
  await runTool(['apt-get', 'update'], { signal });
  const result = await runTool([...INSTALL], { signal });
  if (result.exitCode !== 0) throw failureOfOutput('mmdebstrap could not be installed', result.lastLines);
}

async function isInstalled(): Promise<boolean> {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin'];
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, 'mmdebstrap')).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * Runs under the lock, which the kernel drops when the last of these processes is gone: so nothing that another one began is
 * still in use. TERM is handed on, and comes too when the server dies (setpriv), so that mmdebstrap unmounts and cleans up.
 */
const UNDER_LOCK = `
tree=$1 work=$2; shift 2
echo 'I: begun' >&2
[ ! -e "$tree" ] || exit 0
for old in "$(dirname "$tree")"/making-*; do
  if [ -e "$old/begun" ] || [ -n "$(find "$old" -maxdepth 0 -mmin +1440)" ]; then rm -rf --one-file-system "$old" || :; fi
done
: > "$work/begun"
mmdebstrap "$@" & child=$!
trap 'kill "$child"' TERM
while kill -0 "$child" 2>/dev/null; do wait "$child" && code=0 || code=$?; done
[ "$code" = 0 ] || exit "$code"
mv "$work/tree.tar" "$tree"`;

interface Making {
  readonly recipe: Recipe;
  readonly tree: string;
  readonly overlay: Buffer;
  readonly options: TreeOptions;
}

async function makeTree({ recipe, tree, overlay, options }: Making): Promise<void> {
  const { report, signal, cacheFolder } = options;
  const work = join(cacheFolder, `making-${randomUUID()}`);
  await mkdir(work, { mode: 0o755 });
  const begun = new AbortController();
  const progress = aptProgress(report);
  void delay(1500, undefined, { signal: begun.signal }).then(
    () => report('waiting for another process that is making the same image'),
    () => {},
  );
  try {
    await writeFile(join(work, 'overlay.tar'), overlay);
    const args = await mmdebstrapArguments({ recipe, work, signal, architecture: options.architecture });
    report(`making the image from Debian packages (${recipe.suite})`);
    const guarded = [
      '--pdeathsig',
      'TERM',
      'flock',
      '--no-fork',
      join(cacheFolder, 'lock'),
      'sh',
      '-c',
      UNDER_LOCK,
      'sh',
      tree,
      work,
      ...args,
    ];
    const result = await runTool(['setpriv', ...guarded], {
      signal,
      env: { TMPDIR: work },
      onLine: (line) => {
        begun.abort();
        progress(line);
      },
    });
    if (result.exitCode !== 0) throw failureOfOutput('the image could not be made from Debian packages', result.lastLines);
  } finally {
    begun.abort();
    await rm(work, { recursive: true, force: true });
  }
}

async function mmdebstrapArguments(made: {
  recipe: Recipe;
  work: string;
  signal: AbortSignal;
  architecture: string;
}): Promise<readonly string[]> {
  const { recipe, work, signal } = made;
  const sources = await debianSources(recipe.suite, signal);
  if (sources.deb822 !== undefined) await writeFile(join(work, 'debian.sources'), sources.deb822);
  return [
    '--verbose',
    '--mode=auto',
    '--variant=minbase',
    `--architectures=${made.architecture}`,
    `--include=${recipe.packages.join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
    ...sources.aptOptions.map((option) => `--aptopt=${option}`),
    `--setup-hook=tar-in ${join(work, 'overlay.tar')} /`,
    '--customize-hook=chroot "$1" sh /opt/recipe/configure.sh && rm -rf "$1/opt/recipe"',
    '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    ...(sources.deb822 === undefined ? [] : [`--customize-hook=${TIDY_SOURCES}`]),
    recipe.suite,
    join(work, 'tree.tar'),
    ...(sources.deb822 === undefined ? [] : [join(work, 'debian.sources')]),
  ];
}

/** One name on every machine, and no password that a mirror's address may hold. */
const TIDY_SOURCES = `cd "$1/etc/apt/sources.list.d" && mv 0000*.sources debian.sources && sed -i 's#//[^/@ ]*@#//#' debian.sources`;

async function forgetOldTrees(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('tree-'));
  const dated = await Promise.all(names.map(async (name) => ({ name, made: (await stat(join(folder, name))).mtimeMs })));
  const old = dated.toSorted((a, b) => b.made - a.made).slice(KEPT_TREES);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}
