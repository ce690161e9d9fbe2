import { join } from 'node:path';
import { isBuiltin, BUILTIN_IMAGES, BuiltinImageError } from '../domain/images/builtin.ts';
import { createBuiltinImageMaker } from './builtin-images.ts';

/** `node make-builtin.ts berth/base:latest`: makes a built-in image on the engine of DOCKER_HOST, its progress on stderr. */
async function main(image: string | undefined): Promise<number> {
  if (image === undefined || !isBuiltin(image)) {
    console.error(
      `${image === undefined ? 'Say which image' : `"${image}" is not a built-in image`}; there is: ${BUILTIN_IMAGES.join(', ')}`,
    );
    return 2;
  }
  const maker = createBuiltinImageMaker({
    dockerHost: process.env['DOCKER_HOST'],
    recipesFolder: join(import.meta.dirname, '../../../images'),
    choices: { suite: process.env['BERTH_BASE_SUITE'], from: process.env['BERTH_BASE_FROM'] },
  });
  try {
    await maker.make(image, (line) => console.error(line));
    return 0;
  } catch (error) {
    if (!(error instanceof BuiltinImageError)) throw error;
    console.error(error.message);
    return 1;
  }
}

process.exitCode = await main(process.argv[2]);
