/** A piece of what a run printed. */
export interface Printed {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
}

/** How many characters of each stream one answer holds at the most; the rest comes with the next one. */
export const CONSOLE_LIMIT = 524_288;

/** In their order, neighbours of one stream made one, none of them empty. */
export function merged(pieces: readonly Printed[]): readonly Printed[] {
  const groups: { stream: Printed['stream']; texts: string[] }[] = [];
  for (const { stream, text } of pieces) {
    if (text === '') continue;
    const last = groups.at(-1);
    if (last?.stream === stream) last.texts.push(text);
    else groups.push({ stream, texts: [text] });
  }
  return groups.map(({ stream, texts }) => ({ stream, text: texts.join('') }));
}
