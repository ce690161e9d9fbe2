import { readFile } from 'node:fs/promises';

/** The lines of every ```sh block under a heading of a page, block by block. */
export async function blocksUnder(heading: string, page: string): Promise<readonly (readonly string[])[]> {
  const text = await readFile(page, 'utf8');
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${page} has no section "${heading}"`);
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block.trimEnd().split('\n'));
}
