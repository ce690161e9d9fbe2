import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';

/** A recipe with next to no packages, and an empty cache. */
async function smallRecipe(): Promise<{ recipe: string; cache: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-tree-'));
  onTestFinished(async () => rm(folder, { recursive: true }));
  const recipe = join(folder, 'recipe');
  await cp(join(import.meta.dirname, '../../../images/base'), recipe, { recursive: true });
  await writeFile(join(recipe, 'packages'), 'ca-certificates\n');
  return { recipe, cache: join(folder, 'cache') };
}

function startMaking({ recipe, cache }: { recipe: string; cache: string }) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'make-tree.ts'), recipe, cache]);
  const lines: string[] = [];
  const reached = (step: string) =>
    new Promise<void>((resolve) => createInterface({ input: child.stderr }).on('line', (line) => line.includes(step) && resolve()));
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const ended = Promise.all([text(child.stdout), new Promise<number | null>((resolve) => child.on('close', resolve))]);
  return { child, lines, reached, ended };
}

test('a maker that is killed blocks nobody, and two that ask together make the tree once and leave nothing else', async () => {
  const folders = await smallRecipe();
  const killed = startMaking(folders);
  await killed.reached('to download');
  killed.child.kill('SIGKILL');
  await killed.ended;

  const makers = [startMaking(folders), startMaking(folders)];
  const results = await Promise.all(makers.map(({ ended }) => ended));
  expect(results.map(([, code]) => code)).toEqual([0, 0]);
  expect(results[0]?.[0]).toBe(results[1]?.[0]);
  expect(makers.flatMap(({ lines }) => lines).filter((line) => line === 'packing the image')).toHaveLength(1);
  expect(makers.flatMap(({ lines }) => lines)).toContain('waiting for another process that is making the same image');

  const left = await readdir(folders.cache);
  expect(left.filter((name) => !name.startsWith('tree-'))).toEqual(['lock']);
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(folders.cache);
}, 240_000);
