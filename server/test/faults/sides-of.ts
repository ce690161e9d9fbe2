const REPEATS = Number(process.env['BERTH_TEST_REPEATS'] ?? 0);

/** Every point once, on one side of the call and the next one on the other; `npm run soak` goes round several times, on both. */
export const sidesOf = (index: number): readonly string[] =>
  REPEATS === 0 ? [index % 2 === 0 ? 'before' : 'after'] : Array.from({ length: REPEATS }, () => ['before', 'after']).flat();
