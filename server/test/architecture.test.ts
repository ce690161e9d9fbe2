import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TRANSITIONS } from '../src/domain/sessions/lifecycle.ts';

test('the picture in ARCHITECTURE.md has the arrows of the state table and no others', () => {
  const page = readFileSync(join(import.meta.dirname, '../../ARCHITECTURE.md'), 'utf8');
  const drawn = [...page.matchAll(/^ {2}([a-z]+) --> ([a-z]+)$/gm)].map(([, from, to]) => `${from} -> ${to}`);
  const arrows = Object.entries(TRANSITIONS).flatMap(([from, targets]) => targets.map((to) => `${from} -> ${to}`));
  expect(drawn.toSorted()).toEqual(arrows.toSorted());
});
