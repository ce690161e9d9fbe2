const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * One line for a step: what it is, and when it is done how it went and how long it took. On a terminal the line is there
 * while the step runs, and `say` replaces its end with how far it is; elsewhere what is said last is printed every 15 s.
 * @template T
 * @param {string} title
 * @param {(say: (detail: string) => void) => Promise<T>} work
 * @param {(result: T) => string} [outcome]
 * @returns {Promise<T>}
 */
export async function step(title, work, outcome = () => '') {
  const began = Date.now();
  const live = process.stdout.isTTY === true;
  const show = (text) => process.stdout.write(`\r\u001B[K  ${text}`.slice(0, (process.stdout.columns ?? 80) + 4));
  if (live) show(`… ${title}`);
  let spoken = began;
  const say = (detail) => {
    if (live) show(`… ${title}: ${detail}`);
    else if (Date.now() - spoken > 15_000) {
      spoken = Date.now();
      process.stdout.write(`    ${title}: ${detail}\n`);
    }
  };
  const line = (mark, text) => process.stdout.write(`${live ? '\r\u001B[K' : ''}  ${mark} ${text}  (${seconds(began)})\n`);
  try {
    const result = await work(say);
    const told = outcome(result);
    line('✓', told === '' ? title : `${title}: ${told}`);
    return result;
  } catch (error) {
    line('✗', title);
    throw error;
  }
}
