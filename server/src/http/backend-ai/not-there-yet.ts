import type { CreateParameters } from './create-parameters.ts';
import { Refusal } from './refusal.ts';

/** What real servers have and this one has not: said in a sentence, rather than left out silently. */
export const notThereYet = (what: string): Refusal =>
  new Refusal('not-implemented', `${what} not there yet: see docs/backend-ai.md for what is`);

const NOT_ASKED: readonly { readonly what: string; readonly isAsked: (asked: CreateParameters) => boolean }[] = [];

export function refuseWhatIsNotThereYet(asked: CreateParameters): void {
  const found = NOT_ASKED.find(({ isAsked }) => isAsked(asked));
  if (found !== undefined) throw notThereYet(found.what);
}

const FOLDERS = 'sharing, renaming and copying folders, and reading and writing their files outside of sessions, is';
const TEMPLATES = 'session templates are';

/** Paths of theirs that are known and answered with `what`. */
const ROUTES: readonly (readonly [method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, what: string])[] = [
  ['POST', '/session/_/create-from-template', TEMPLATES],
  ['POST', '/session/_/create-cluster', TEMPLATES],
  ['GET', '/session/_/logs', "a batch session's log under this path (use /session/:id/logs) is"],
  ['GET', '/folders/*', FOLDERS],
  ['POST', '/folders/*', FOLDERS],
  ['PATCH', '/folders/*', FOLDERS],
  ['DELETE', '/folders/*', FOLDERS],
];

export const ROUTES_NOT_THERE_YET = ROUTES.map(([method, path, what]) => ({
  method,
  path,
  handle: () => Promise.reject(notThereYet(what)),
}));
