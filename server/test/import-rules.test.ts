import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
let tree: string;

beforeAll(async () => {
  tree = await mkdtemp(join(tmpdir(), 'berth-import-rules-'));
  await symlink(join(repository, 'node_modules'), join(tree, 'node_modules'));
  await Promise.all(['oxlint.config.ts', 'tsconfig.json', 'package.json'].map((file) => cp(join(repository, file), join(tree, file))));
});
afterAll(() => rm(tree, { recursive: true, force: true }));

interface Diagnostic {
  code: string;
  help?: string;
  filename: string;
}

function lint(cwd = tree): Promise<Diagnostic[]> {
  const oxlint = join(repository, 'node_modules/.bin/oxlint');
  return new Promise((resolve, reject) => {
    execFile(oxlint, ['--format', 'json', 'contract', 'server', 'cli', 'web'], { cwd, maxBuffer: 1 << 26 }, (error, stdout) => {
      if (stdout === '') reject(error ?? new Error('oxlint printed nothing'));
      else resolve((JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics);
    });
  });
}

async function plant(file: string, text: string): Promise<void> {
  await mkdir(dirname(join(tree, file)), { recursive: true });
  await writeFile(join(tree, file), text);
}

const importing = (what: string): string => `import * as x from '${what}';\nexport const y = x;\n`;

/** File, what it must not import, and a piece of the message that says what to do instead. */
const FORBIDDEN: readonly (readonly [file: string, imports: string, remedy: string])[] = [
  ['server/src/domain/a/x.ts', '../../storage/session-store.ts', 'interface inside domain/'],
  ['server/src/domain/a/x.ts', '../../runtimes/runtime.ts', 'interface inside domain/'],
  ['server/src/domain/a/x.ts', '../../http/route.ts', 'interface inside domain/'],
  ['server/src/domain/x.ts', '../kill-points.ts', 'interface inside domain/'],
  ['server/src/domain/x.ts', 'node:fs', 'no input or output'],
  ['server/src/domain/x.ts', 'node:child_process', 'no input or output'],
  ['server/src/domain/x.ts', 'pg', 'server/src/storage'],
  ['server/src/runtimes/x.ts', '../storage/database.ts', 'app.ts hand it in'],
  ['server/src/runtimes/docker/x.ts', '../../builds/recipe.ts', 'app.ts hand it in'],
  ['server/src/runtimes/docker/x.ts', '@kubernetes/client-node', 'server/src/runtimes/kubernetes'],
  ['server/src/runtimes/kubernetes/x.ts', 'dockerode', 'server/src/runtimes/docker'],
  ['server/src/runtimes/x.ts', 'dockerode', 'server/src/runtimes/docker'],
  ['server/src/storage/x.ts', '../runtimes/docker/docker-runtime.ts', 'app.ts hand it in'],
  ['server/src/storage/x.ts', '../reconciler/loop.ts', 'app.ts hand it in'],
  ['server/src/storage/migrations/x.ts', '../../http/route.ts', 'app.ts hand it in'],
  ['server/src/storage/x.ts', 'fastify', 'server/src/http'],
  ['server/src/http/x.ts', '../storage/session-store.ts', 'app.ts hand it in'],
  ['server/src/http/x.ts', '../gateway/gateway.ts', 'app.ts hand it in'],
  ['server/src/http/x.ts', 'kysely', 'server/src/storage'],
  ['server/src/gateway/x.ts', '../http/route.ts', 'app.ts hand it in'],
  ['server/src/reconciler/x.ts', '../storage/session-store.ts', 'app.ts hand it in'],
  ['server/src/reconciler/x.ts', '../runtimes/fake-runtime.ts', 'app.ts hand it in'],
  ['server/src/reconciler/x.ts', '../app.ts', 'Only main.ts and app.ts'],
  ['server/src/builds/x.ts', '../config.ts', 'Only main.ts and app.ts'],
  ['server/src/builds/x.ts', '../http/route.ts', 'app.ts hand it in'],
  ['server/src/callbacks/x.ts', '../storage/callback-store.ts', 'app.ts hand it in'],
  ['server/src/http/x.ts', '../callbacks/deliverer.ts', 'app.ts hand it in'],
  ['server/src/domain/a/x.ts', '../../callbacks/deliverer.ts', 'interface inside domain/'],
  ['server/src/inside/x.ts', '../storage/session-store.ts', 'app.ts hand it in'],
  ['server/src/inside/x.ts', '../runtimes/docker/docker-runtime.ts', 'app.ts hand it in'],
  ['server/src/http/x.ts', '../inside/executor.ts', 'app.ts hand it in'],
  ['server/src/domain/a/x.ts', '../../inside/executor.ts', 'interface inside domain/'],
  ['server/src/app.ts', 'dockerode', 'server/src/runtimes/docker'],
  ['server/src/app.ts', 'pg/lib/client.js', 'server/src/storage'],
  ['cli/src/x.ts', '../../server/src/domain/sessions/lifecycle.ts', 'import @berth/contract'],
  ['cli/src/x.ts', '@berth/server/main', 'import @berth/contract'],
  ['contract/src/x.ts', '../../server/src/app.ts', 'import @berth/contract'],
  ['web/src/x.tsx', '../../server/src/app.ts', 'import @berth/contract'],
];

const ALLOWED: readonly (readonly [file: string, imports: string])[] = [
  ['server/src/domain/a/x.ts', '@berth/contract'],
  ['server/src/domain/a/x.ts', '../b/y.ts'],
  ['server/src/storage/x.ts', '../domain/sessions/session-store.ts'],
  ['server/src/storage/x.ts', 'kysely'],
  ['server/src/reconciler/x.ts', '../runtimes/runtime.ts'],
  ['server/src/inside/x.ts', '../runtimes/runtime.ts'],
  ['server/src/runtimes/docker/x.ts', '../runtime.ts'],
  ['server/src/runtimes/docker/x.ts', 'dockerode'],
  ['server/src/runtimes/docker/x.ts', '../../kill-points.ts'],
  ['server/src/http/x.ts', 'fastify'],
  ['server/src/callbacks/x.ts', '../domain/deliveries/callback-store.ts'],
  ['server/src/app.ts', './storage/database.ts'],
  ['cli/src/x.ts', '@berth/contract'],
];

/** Every row gets a file of its own beside the named one, so that one run of the lint judges them all. */
const fileOf = (row: number, file: string): string => file.replace(/x\.tsx?$|app\.ts$/, (name) => `row${row}-${name}`);
const messages = new Map<string, string[]>();

beforeAll(async () => {
  const rows = [...FORBIDDEN, ...ALLOWED];
  await Promise.all(rows.map(([file, imports], row) => plant(fileOf(row, file), importing(imports))));
  await plant('server/src/domain/one.ts', "import { two } from './two.ts';\nexport const one = (): unknown => two;\n");
  await plant('server/src/domain/two.ts', "import { one } from './one.ts';\nexport const two = (): unknown => one;\n");
  for (const { filename, code, help } of await lint()) {
    messages.set(filename, [...(messages.get(filename) ?? []), `${code}: ${help ?? ''}`]);
  }
});

const importMessages = (row: number, file: string): string[] =>
  (messages.get(fileOf(row, file)) ?? []).filter((message) => message.includes('no-restricted-imports'));

test.each(FORBIDDEN.map((row, index) => [...row, index] as const))(
  '%s may not import %s, and hears what to do instead',
  (file, _, remedy, row) => {
    expect(importMessages(row, file)).toEqual([expect.stringContaining(remedy)]);
  },
);

test.each(ALLOWED.map((row, index) => [...row, FORBIDDEN.length + index] as const))('%s may import %s', (file, _, row) => {
  expect(importMessages(row, file)).toEqual([]);
});

test('two files that import each other are found', () => {
  expect(messages.get('server/src/domain/one.ts')).toContainEqual(expect.stringContaining('no-cycle'));
});

test('the tree as it is breaks none of these rules', async () => {
  const broken = (await lint(repository)).filter(({ code }) => code.includes('no-restricted-imports') || code.includes('no-cycle'));
  expect(broken).toEqual([]);
});
