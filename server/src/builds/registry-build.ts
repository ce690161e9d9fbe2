import type Docker from 'dockerode';
import { Readable } from 'node:stream';
import { killPoint } from '../kill-points.ts';
import { aptProgress } from './apt-progress.ts';
import { asImageError, failureOfOutput } from './build-failure.ts';
import { followEngine, type EngineEvent } from './engine-events.ts';
import { contextTar, privateAuthorities } from './recipe-tar.ts';
import type { Recipe } from './recipe.ts';

export interface ImageBuild {
  readonly engine: Docker;
  readonly reference: string;
  readonly recipe: Recipe;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A registry that takes longer to say anything is taken for one that cannot be reached. */
const ANSWER_WITHIN_MS = 3000;

/** Whether the image to begin with is on the engine, or came from a registry just now. */
export async function fetchFrom({ engine, recipe, report, signal }: ImageBuild): Promise<boolean> {
  if (await isPresent(engine, recipe.from)) return true;
  report(`asking the registry for ${recipe.from}`);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), ANSWER_WITHIN_MS);
  const progress = pullProgress(recipe.from, report);
  try {
    const answer = await engine.pull(recipe.from, { abortSignal: AbortSignal.any([silence.signal, signal]) });
    await followEngine(answer, (event) => {
      clearTimeout(timer);
      progress(event);
    });
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    report(`no registry answers with ${recipe.from}`);
    return false;
  } finally {
    clearTimeout(timer);
  }
}

const isPresent = (engine: Docker, reference: string): Promise<boolean> =>
  engine
    .getImage(reference)
    .inspect()
    .then(
      () => true,
      () => false,
    );

/** Adds up the layers; a line per tenth. */
function pullProgress(reference: string, report: (line: string) => void): (event: EngineEvent) => void {
  const layers = new Map<string, { current: number; total: number }>();
  let shownTenths = 0;
  return ({ status, id, progressDetail }) => {
    const total = progressDetail?.total ?? 0;
    if (status !== 'Downloading' || id === undefined || total === 0) return;
    layers.set(id, { current: progressDetail?.current ?? 0, total });
    const sum = (of: 'current' | 'total'): number => [...layers.values()].reduce((bytes, layer) => bytes + layer[of], 0);
    const tenths = Math.floor((sum('current') * 10) / sum('total'));
    if (tenths > shownTenths) report(`fetching ${reference}: ${tenths * 10} %`);
    shownTenths = Math.max(shownTenths, tenths);
  };
}

/** Builds the Dockerfile, whose first image is there. */
export async function buildFromRegistry({ engine, reference, recipe, report, signal }: ImageBuild): Promise<void> {
  report(`building ${reference} on ${recipe.from}`);
  const context = await contextTar(recipe, await privateAuthorities());
  const progress = aptProgress(report);
  const said: string[] = [];
  try {
    await killPoint('engine.image-import', async () => {
      const options = { t: reference, labels: { 'berth.recipe': recipe.hash }, rm: true, forcerm: true, abortSignal: signal };
      await followEngine(await engine.buildImage(Readable.from([context]), options), (event) => {
        const lines = (event.stream ?? '').split('\n').filter((line) => line.trim() !== '');
        said.push(...lines);
        lines.forEach(progress);
      });
    });
  } catch (error) {
    if (signal.aborted || said.length === 0 || !(error instanceof Error)) throw asImageError(`${reference} could not be built`, error);
    throw failureOfOutput(`${reference} could not be built`, [...said.slice(-60), error.message]);
  }
}
