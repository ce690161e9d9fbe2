// `npm run soak`: the long runs (storms, repeats, hours compressed) on the same test bed as `npm test`.
import { installDependencies } from './dependencies.js';
import { step } from './progress.js';
import { runTests } from './run-tests.js';

await step('dependencies', installDependencies, (fresh) => (fresh ? 'installed' : 'present'));
process.exitCode = await runTests(process.argv.slice(2), { BERTH_TEST_SOAK: '1' });
