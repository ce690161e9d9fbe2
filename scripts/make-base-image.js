// Makes the image berth/base on an engine, by the same code as the server does. Needs Node 24: engine address, cache folder.
import { createBuiltinImageMaker } from '../server/src/builds/builtin-images.ts';
import { join } from 'node:path';
import { root } from './root.js';

const [dockerHost, cacheFolder] = process.argv.slice(2);
const maker = createBuiltinImageMaker({ dockerHost, recipesFolder: join(root, 'images'), cacheFolder });
await maker.make('berth/base:latest', (line) => process.stdout.write(`${line}\n`));
