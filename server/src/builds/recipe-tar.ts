import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import tar from 'tar-stream';
import type { Recipe, RecipeFile } from './recipe.ts';

const AUTHORITIES = 'usr/local/share/ca-certificates';

/** Certificate authorities that the administrator of this machine added: without them nothing can be fetched behind a proxy that inspects TLS. */
export async function privateAuthorities(folder = `/${AUTHORITIES}`): Promise<readonly RecipeFile[]> {
  const names = (await readdir(folder).catch(emptyIfAbsent)).filter((name) => name.endsWith('.crt')).toSorted();
  return Promise.all(
    names.map(async (name) => ({ path: `files/${AUTHORITIES}/${name}`, executable: false, content: await readFile(join(folder, name)) })),
  );
}

/** What a Docker build is given. */
export const contextTar = (recipe: Recipe, authorities: readonly RecipeFile[]): Promise<Buffer> => tarOf([...recipe.files, ...authorities]);

/** What is laid into a Debian tree before its packages: `files/`, and the script that runs after them. */
export function overlayTar(recipe: Recipe, authorities: readonly RecipeFile[]): Promise<Buffer> {
  const overlay = [...recipe.files, ...authorities].flatMap((file) => {
    if (file.path === 'configure.sh') return [{ ...file, path: 'opt/recipe/configure.sh' }];
    return file.path.startsWith('files/') ? [{ ...file, path: file.path.slice('files/'.length) }] : [];
  });
  return tarOf(overlay);
}

/** Everything belongs to root, whoever owns the checkout. */
async function tarOf(files: readonly RecipeFile[]): Promise<Buffer> {
  const pack = tar.pack();
  // A fixed time: the same recipe gives the same bytes, and the cache is found by them.
  const mtime = new Date(0);
  const folders = new Set(files.flatMap((file) => parentsOf(file.path)));
  for (const name of [...folders].toSorted()) pack.entry({ name: `${name}/`, type: 'directory', mode: 0o755, mtime });
  for (const file of files) pack.entry({ name: file.path, mode: file.executable ? 0o755 : 0o644, mtime }, file.content);
  pack.finalize();
  return buffer(pack);
}

function parentsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [...parentsOf(parent), parent];
}

function emptyIfAbsent(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT' || error.code === 'EACCES') return [];
  throw error;
}
