import type { CreateSessionInput } from '@berth/contract';
import { Failure } from '../failure.ts';

type Mount = NonNullable<CreateSessionInput['mounts']>[number];

/** `NAME`, `NAME:/where`, either of them with `:ro` behind it. */
export function parseMount(text: string): Mount {
  const [storage = '', ...rest] = text.split(':');
  const readOnly = rest.at(-1) === 'ro';
  const places = readOnly ? rest.slice(0, -1) : rest;
  const [target] = places;
  if (storage === '' || places.length > 1 || (target !== undefined && !target.startsWith('/')))
    throw new Failure('usage', `--mount: "${text}" is not understood: write NAME, NAME:/work/folder, NAME:ro or NAME:/work/folder:ro`);
  return { storage, ...(target === undefined ? {} : { target }), ...(readOnly ? { readOnly } : {}) };
}
