import { ProblemError, type Node } from '@berth/contract';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';

export function nodeHandlers(parts: HttpParts): Pick<Handlers, 'listNodes'> {
  return {
    listNodes: async ({ query }) => pageOf(await parts.nodes.report(), query),
  };
}

/** Nodes are few and all at hand: the cursor is the name of the last one shown. */
function pageOf(nodes: readonly Node[], { limit, cursor }: { limit: number; cursor?: string | undefined }) {
  const sorted = nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const rest = cursor === undefined ? sorted : sorted.filter((node) => node.name > nameIn(cursor));
  const items = rest.slice(0, limit);
  return { items, next: rest.length > limit ? Buffer.from(items.at(-1)?.name ?? '').toString('base64url') : null };
}

function nameIn(cursor: string): string {
  const name = Buffer.from(cursor, 'base64url').toString();
  if (name !== '') return name;
  throw new ProblemError('invalid-field', `"${cursor}" is no cursor of this list: use "next" of the page before`, { field: 'cursor' });
}
