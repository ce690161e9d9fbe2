import { readFile, writeFile } from 'node:fs/promises';
import { api, streams } from './api.ts';
import { toOpenApi } from './openapi.ts';

const FILE = new URL('../../docs/openapi.json', import.meta.url);
const PACKAGE = new URL('../../package.json', import.meta.url);

const { version } = JSON.parse(await readFile(PACKAGE, 'utf8')) as { version: string };
const text = `${JSON.stringify(toOpenApi({ api, streams, version }), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  await writeFile(FILE, text);
} else if ((await readFile(FILE, 'utf8').catch(() => '')) !== text) {
  process.stderr.write('docs/openapi.json is not what the contract says: run `npm run openapi` and commit it\n');
  process.exitCode = 1;
}
