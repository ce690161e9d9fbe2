import { debianTree } from '../../src/builds/debian-tree.ts';
import { readRecipe } from '../../src/builds/recipe.ts';

/** `node make-tree.ts RECIPE CACHE`: a process of its own that makes a tree, to be killed by tests. Its steps on stderr. */
const [recipe = '', cacheFolder = ''] = process.argv.slice(2);
const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const signal = new AbortController().signal;
console.log(await debianTree(await readRecipe(recipe), { cacheFolder, architecture, signal, report: (line) => console.error(line) }));
