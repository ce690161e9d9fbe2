import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder under `images/`, read. Its Dockerfile is the one place that says what the image is; see images/base/README.md. */
export interface Recipe {
  /** Debian's code name. */
  readonly suite: string;
  /** The image a registry is asked for. */
  readonly from: string;
  /** Of every file and both choices: carried by the image as the label `berth.recipe`. */
  readonly hash: string;
  readonly packages: readonly string[];
  /** Lines of the Dockerfile that an import applies as well: environment and command. */
  readonly changes: readonly string[];
  readonly files: readonly RecipeFile[];
}

export interface RecipeFile {
  /** Inside the folder. */
  readonly path: string;
  readonly executable: boolean;
  readonly content: Buffer;
}

export interface RecipeChoices {
  readonly suite?: string | undefined;
  readonly from?: string | undefined;
}

export async function readRecipe(folder: string, choices: RecipeChoices = {}): Promise<Recipe> {
  const files = (await filesOf(folder)).map((file) => (file.path === 'Dockerfile' ? withChoices(file, choices) : file));
  const dockerfile = textOf(files, 'Dockerfile');
  const suite = defaultOf(dockerfile, 'SUITE');
  return {
    suite,
    from: defaultOf(dockerfile, 'FROM').replace('${SUITE}', suite),
    hash: hashOf(files),
    packages: textOf(files, 'packages')
      .replace(/#.*/g, '')
      .split(/\s+/)
      .filter((name) => name !== ''),
    changes: dockerfile.split('\n').filter((line) => /^(?:ENV|CMD) /.test(line)),
    files,
  };
}

async function filesOf(folder: string): Promise<readonly RecipeFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.md')).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    paths.toSorted().map(async (path) => ({
      path: path.slice(join(folder, '/').length),
      executable: ((await stat(path)).mode & 0o100) !== 0,
      content: await readFile(path),
    })),
  );
}

/** A choice replaces its default in the Dockerfile, so that the hash speaks of it too. */
function withChoices(dockerfile: RecipeFile, choices: RecipeChoices): RecipeFile {
  const chosen = Object.entries({ SUITE: choices.suite, FROM: choices.from }).reduce(
    (text, [name, value]) => (value === undefined ? text : text.replace(new RegExp(`^ARG ${name}=.*`, 'm'), () => `ARG ${name}=${value}`)),
    dockerfile.content.toString(),
  );
  return { ...dockerfile, content: Buffer.from(chosen) };
}

function textOf(files: readonly RecipeFile[], path: string): string {
  const file = files.find((candidate) => candidate.path === path);
  if (file === undefined) throw new Error(`the image recipe has no file "${path}": the installation of Berth is incomplete`);
  return file.content.toString();
}

function defaultOf(dockerfile: string, name: string): string {
  const value = new RegExp(`^ARG ${name}=(\\S+)`, 'm').exec(dockerfile)?.[1];
  if (value === undefined)
    throw new Error(`the image recipe's Dockerfile has no line "ARG ${name}=…": the installation of Berth is incomplete`);
  return value;
}

function hashOf(files: readonly RecipeFile[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file.path}\0${file.executable}\0${file.content.length}\0`).update(file.content);
  return hash.digest('hex');
}
