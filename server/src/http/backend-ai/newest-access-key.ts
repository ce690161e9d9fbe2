import type { Surface } from './call.ts';

/** Sessions belong to people, not to key pairs: the newest of hers stands for her; empty where she has none. */
export async function newestAccessKey({ parts }: Surface, userId: string): Promise<string> {
  const { items } = await parts.keypairs.list(userId, { limit: 1, cursor: null });
  return items[0]?.accessKey ?? '';
}
