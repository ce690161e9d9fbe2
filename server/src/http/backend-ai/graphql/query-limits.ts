import { Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from 'graphql';
import { Refusal } from '../refusal.ts';

/** More than any client asks, and not enough to keep a server busy. */
export const MOST = { characters: 16_384, tokens: 2_000, brackets: 250, depth: 20, fields: 500, aliases: 30, roots: 10 } as const;

/** Before it is parsed: what would take long to read, or lie deeper than the parser can follow. */
export function refuseHugeText(text: string): void {
  if (text.length > MOST.characters) throw tooMuch(`it is ${text.length} characters long`, MOST.characters);
  const brackets = text.match(/[{[(]/g)?.length ?? 0;
  if (brackets > MOST.brackets) throw tooMuch(`it opens ${brackets} brackets`, MOST.brackets);
}

interface Cost {
  readonly depth: number;
  /** With fragments written out wherever they are used. */
  readonly fields: number;
  readonly aliases: number;
  readonly roots: number;
}
const NOTHING: Cost = { depth: 0, fields: 0, aliases: 0, roots: 0 };

/** Before it is checked against the schema: what would take long to check or to answer. */
export function refuseCostly(document: DocumentNode): void {
  const meter = new Meter(document);
  const operations = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const asked = operations.map(({ selectionSet }) => meter.measure(selectionSet));
  // Fragments that no operation uses are checked all the same.
  const unused = fragmentsOf(document).filter((fragment) => !meter.hasMeasured(fragment));
  const unasked = unused.map(({ selectionSet }): Cost => ({ ...meter.measure(selectionSet), roots: 0 }));
  const cost = [...asked, ...unasked].reduce(together, NOTHING);
  if (cost.depth > MOST.depth) throw tooMuch(`it is ${cost.depth} levels deep`, MOST.depth);
  if (cost.fields > MOST.fields) throw tooMuch(`it asks for ${cost.fields} fields`, MOST.fields);
  if (cost.aliases > MOST.aliases) throw tooMuch(`it has ${cost.aliases} aliases`, MOST.aliases);
  if (cost.roots > MOST.roots) throw tooMuch(`it asks ${cost.roots} questions at once`, MOST.roots);
}

const fragmentsOf = ({ definitions }: DocumentNode): readonly FragmentDefinitionNode[] =>
  definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);

/** Each fragment is measured once, however often it is used. */
class Meter {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly #measured = new Map<FragmentDefinitionNode, Cost>();
  readonly #open = new Set<string>();

  constructor(document: DocumentNode) {
    this.#fragments = new Map(fragmentsOf(document).map((fragment) => [fragment.name.value, fragment]));
  }

  hasMeasured(fragment: FragmentDefinitionNode): boolean {
    return this.#measured.has(fragment);
  }

  measure({ selections }: SelectionSetNode): Cost {
    return selections
      .map((selection): Cost => {
        if (selection.kind === Kind.FRAGMENT_SPREAD) return this.#fragment(selection.name.value);
        const inner = selection.selectionSet === undefined ? NOTHING : this.measure(selection.selectionSet);
        if (selection.kind === Kind.INLINE_FRAGMENT) return inner;
        const aliases = inner.aliases + (selection.alias === undefined ? 0 : 1);
        return { depth: inner.depth + 1, fields: inner.fields + 1, aliases, roots: 1 };
      })
      .reduce(together, NOTHING);
  }

  #fragment(name: string): Cost {
    const fragment = this.#fragments.get(name);
    // One that is missing or in itself costs nothing: the check against the schema refuses both.
    if (fragment === undefined || this.#open.has(name)) return NOTHING;
    const known = this.#measured.get(fragment);
    if (known !== undefined) return known;
    this.#open.add(name);
    const cost = this.measure(fragment.selectionSet);
    this.#open.delete(name);
    this.#measured.set(fragment, cost);
    return cost;
  }
}

const together = (a: Cost, b: Cost): Cost => ({
  depth: Math.max(a.depth, b.depth),
  fields: a.fields + b.fields,
  aliases: a.aliases + b.aliases,
  roots: a.roots + b.roots,
});

const tooMuch = (what: string, most: number): Refusal =>
  new Refusal('graphql-error', `the query is too large: ${what}, and ${most} are the most: ask for less at a time`);
