// `npm test`: everything, on a machine with nothing but Node, npm and root. Arguments go to vitest: `npm test -- cli`.
import { checkAll } from './check.js';
import { runTests } from './run-tests.js';

const inOrder = await checkAll();
if (inOrder || process.env.BERTH_TEST_ANYWAY === '1') process.exitCode = await runTests(process.argv.slice(2));
if (!inOrder) process.exitCode = 1;
