import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

const soak = process.env['BERTH_TEST_SOAK'] === '1';
const deploy = process.env['BERTH_TEST_DEPLOY'] === '1';
const postgres = 'server/test/postgres-setup.ts';

/** Groups run one after the other: what is quick tells first, and the fault suite has the machine for itself. */
const project = (name: string, order: number, options: { include: string[]; exclude?: string[]; workers: number; timeout: number }) => ({
  extends: true as const,
  test: {
    name,
    include: options.include,
    exclude: ['**/node_modules/**', ...(options.exclude ?? [])],
    maxWorkers: options.workers,
    testTimeout: options.timeout,
    hookTimeout: options.timeout,
    sequence: { groupOrder: order },
  },
});

const everyDay = [
  project('unit', 0, { include: ['{contract,server,cli}/src/**/*.test.ts'], workers: 2, timeout: 60_000 }),
  project('whole', 1, {
    include: ['{contract,server,cli}/test/**/*.test.ts'],
    exclude: ['server/test/faults/**', 'server/test/deploy/**'],
    workers: 2,
    timeout: 180_000,
  }),
  project('faults', 2, {
    include: ['server/test/faults/**/*.test.ts'],
    exclude: ['server/test/faults/kubernetes/**'],
    workers: 1,
    timeout: 1_200_000,
  }),
  project('cluster-faults', 3, { include: ['server/test/faults/kubernetes/**/*.test.ts'], workers: 1, timeout: 1_200_000 }),
];
/** The fault suite again, with more rounds and more kills, and random requests, many more of them. */
const longRuns = [
  project('soak', 0, { include: ['server/test/faults/**/*.test.ts', 'server/test/http/**/fuzz.test.ts'], workers: 1, timeout: 14_400_000 }),
];
/** What an operator does, in an empty cluster. */
const deployment = [project('deploy', 0, { include: ['server/test/deploy/**/*.test.ts'], workers: 1, timeout: 7_200_000 })];

export default defineConfig({
  test: {
    allowOnly: false,
    globalSetup: existsSync(postgres) ? [postgres] : [],
    projects: deploy ? deployment : soak ? longRuns : everyDay,
    teardownTimeout: 60_000,
  },
});
