import type { Database } from './database.ts';

/** The id of this installation, made with its tables: what everything it makes is labelled with. */
export async function instanceId(db: Database): Promise<string> {
  const { id } = await db.selectFrom('installation').select('id').executeTakeFirstOrThrow();
  return id;
}
