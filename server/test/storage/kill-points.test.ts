import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const FOLDER = new URL('../../src/storage/', import.meta.url);
const WRITES = /\b(?:insertInto|updateTable|deleteFrom)\(|\b(?:insert into|delete from) \w|\bupdate \w+ (?:\w )?set\b/;
/** What runs before a server answers, or offline: it is not killed at points but as a whole. */
const OFFLINE = ['backup.ts', 'restore.ts', 'embedded-postgres.ts', 'session-rows.ts'];
/** Moves no state of a session: rewrites the ids of events that came with a dump, at the start. */
const ALLOWED = ['adoptForeignEvents', 'compareAndSet'];

/** The pieces of a file between one function or method and the next. */
const functionsOf = (source: string): string[] =>
  source.split(/^(?= {2}(?:async |static async )?#?\w+\(|(?:export )?(?:async )?function|(?:export )?const)/m);

const uncovered = (source: string): string[] =>
  functionsOf(source).filter((text) => WRITES.test(text) && !text.includes('killPoint(') && !ALLOWED.some((name) => text.includes(name)));

test('every statement that writes passes a kill point', async () => {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !OFFLINE.includes(name));
  const found = await Promise.all(
    files.map(async (name) =>
      uncovered(await readFile(new URL(name, FOLDER), 'utf8')).map((text) => `${name}: ${text.trim().split('\n')[0]}`),
    ),
  );
  expect(found.flat()).toEqual([]);
});

test.each([
  "  async plant(): Promise<void> {\n    await this.db.insertInto('users').values({}).execute();\n  }\n",
  'async function plant(db) {\n  await sql`update sessions set state = 1`.execute(db);\n}\n',
  'const plant = (db) => sql`delete from tokens where true`.execute(db);\n',
])('one that goes around them is found: %j', (planted) => {
  expect(uncovered(`  async other(): Promise<void> {\n    await killPoint('store.user', () => 1);\n  }\n\n${planted}`)).toHaveLength(1);
});
