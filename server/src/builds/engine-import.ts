import type Docker from 'dockerode';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { formatBytes } from '@berth/contract';
import { killPoint } from '../kill-points.ts';
import { followEngine } from './engine-events.ts';
import type { Recipe } from './recipe.ts';

export interface TreeImport {
  readonly engine: Docker;
  readonly reference: string;
  readonly recipe: Recipe;
  readonly tree: string;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Makes an image of a tree, with the Dockerfile's environment and command. */
export async function importTree({ engine, reference, recipe, tree, report, signal }: TreeImport): Promise<void> {
  const { size } = await stat(tree);
  const file = createReadStream(tree, { highWaterMark: 1024 ** 2 });
  const counted = file.pipe(countBytes(size, report));
  file.on('error', (error) => counted.destroy(error));
  const options = {
    repo: reference.slice(0, reference.lastIndexOf(':')),
    tag: reference.slice(reference.lastIndexOf(':') + 1),
    changes: [...recipe.changes, `LABEL berth.recipe=${recipe.hash}`],
    abortSignal: signal,
  };
  try {
    await killPoint('engine.image-import', async () => followEngine(await engine.importImage(counted, options), () => {}));
  } finally {
    file.destroy();
  }
}

function countBytes(size: number, report: (line: string) => void): Transform {
  let sent = 0;
  let shownQuarters = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sent += chunk.length;
      const quarters = Math.floor((sent * 4) / size);
      if (quarters > shownQuarters) report(`handing the image to the engine: ${quarters * 25} % of ${formatBytes(size)}`);
      shownQuarters = Math.max(shownQuarters, quarters);
      done(null, chunk);
    },
  });
}
