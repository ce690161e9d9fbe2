import type Docker from 'dockerode';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { formatDuration } from '@berth/contract';
import type { BuiltinImage, BuiltinImageMaker } from '../domain/images/builtin.ts';
import { asImageError, imageFailure } from './build-failure.ts';
import { connectEngine } from './connect-engine.ts';
import { debianTree } from './debian-tree.ts';
import { importTree } from './engine-import.ts';
import { buildFromRegistry, fetchFrom } from './registry-build.ts';
import { readRecipe, type RecipeChoices } from './recipe.ts';

export interface BuiltinImageOptions {
  readonly dockerHost?: string | undefined;
  /** The folder `images/` of the installation. */
  readonly recipesFolder: string;
  /** Where Debian trees are kept; default: /var/cache/berth for root, else $XDG_CACHE_HOME/berth. */
  readonly cacheFolder?: string | undefined;
  readonly choices?: RecipeChoices;
  readonly timeLimitMs?: number;
  /** Ends builds under way, when the server stops. */
  readonly signal?: AbortSignal;
  /** Every line of every build. */
  readonly log?: (line: string) => void;
}

const TIME_LIMIT_MS = 20 * 60 * 1000;

type Report = (line: string) => void;
interface Build {
  readonly done: Promise<void>;
  readonly listeners: Set<Report>;
  lastLine: string | undefined;
}

export function createBuiltinImageMaker(options: BuiltinImageOptions): BuiltinImageMaker {
  const builds = new Map<BuiltinImage, Build>();

  function begin(image: BuiltinImage): Build {
    const listeners = new Set<Report>();
    const begun = Date.now();
    const tell: Report = (line) => {
      build.lastLine = `${line} (after ${formatDuration(Date.now() - begun)})`;
      for (const report of [...listeners, options.log ?? (() => {})]) report(build.lastLine);
    };
    const build: Build = { listeners, lastLine: undefined, done: makeInTime(image, options, tell).finally(() => builds.delete(image)) };
    builds.set(image, build);
    return build;
  }

  return {
    async make(image, report) {
      const build = builds.get(image) ?? begin(image);
      if (build.lastLine !== undefined) report(build.lastLine);
      build.listeners.add(report);
      try {
        await build.done;
      } finally {
        build.listeners.delete(report);
      }
    },
  };
}

async function makeInTime(image: BuiltinImage, options: BuiltinImageOptions, report: Report): Promise<void> {
  const limitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  const limit = AbortSignal.timeout(limitMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  try {
    await makeImage(image, options, { report, signal });
  } catch (error) {
    if (limit.aborted)
      throw imageFailure(
        'timed-out',
        `${image} was not made within ${formatDuration(limitMs)}`,
        'Try again; a slow mirror is the usual cause',
      );
    if (signal.aborted) throw imageFailure('timed-out', `the making of ${image} was stopped`, 'Try again when the server runs');
    throw asImageError(`${image} could not be made`, error);
  }
}

async function makeImage(
  reference: BuiltinImage,
  options: BuiltinImageOptions,
  run: { report: Report; signal: AbortSignal },
): Promise<void> {
  const engine = connectEngine(options.dockerHost);
  const name = reference.slice(reference.indexOf('/') + 1, reference.lastIndexOf(':'));
  const recipe = await readRecipe(join(options.recipesFolder, name), options.choices);
  if ((await recipeOf(engine, reference)) === recipe.hash) return;
  const work = { engine, reference, recipe, ...run };
  if (await fetchFrom(work)) {
    await buildFromRegistry(work);
  } else {
    const architecture = await architectureOf(engine);
    const tree = await debianTree(recipe, { ...run, architecture, cacheFolder: options.cacheFolder ?? defaultCacheFolder() });
    await importTree({ ...work, tree });
  }
  if ((await recipeOf(engine, reference)) !== recipe.hash) {
    throw imageFailure(
      'image-invalid',
      `the engine took ${reference} but does not show it`,
      'Look at the images of the engine; another one of this name may be in the way',
    );
  }
  run.report(`${reference} is ready`);
}

/** The recipe an image on the engine was made by; undefined: there is none, or not by us. */
async function recipeOf(engine: Docker, reference: string): Promise<string | undefined> {
  try {
    const image = await engine.getImage(reference).inspect();
    return image.Config.Labels?.['berth.recipe'];
  } catch (error) {
    if (error instanceof Error && 'statusCode' in error && error.statusCode === 404) return undefined;
    throw error;
  }
}

const DEBIAN_NAMES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/** Trees are made by this machine, so the engine must be able to run what this machine runs. */
async function architectureOf(engine: Docker): Promise<string> {
  const own = DEBIAN_NAMES[process.arch] ?? process.arch;
  const { Arch: theirs } = await engine.version();
  if (own === theirs) return own;
  throw imageFailure(
    'wrong-platform',
    `the engine is ${theirs} and this machine ${own}, so the image cannot be made here`,
    'Give the engine access to a registry',
  );
}

function defaultCacheFolder(): string {
  if (process.env['XDG_CACHE_HOME']) return join(process.env['XDG_CACHE_HOME'], 'berth');
  return process.getuid?.() === 0 ? '/var/cache/berth' : join(homedir(), '.cache', 'berth');
}
