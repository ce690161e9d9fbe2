// `npm run soak`: the fault suite three times over and with 500 random kills, storms, a million random requests, on the same test bed as `npm test`.
import { installDependencies } from './dependencies.js';
import { step } from './progress.js';
import { runTests } from './run-tests.js';

await step('dependencies', installDependencies, (fresh) => (fresh ? 'installed' : 'present'));
process.exitCode = await runTests(process.argv.slice(2), {
  BERTH_TEST_SOAK: '1',
  BERTH_TEST_REPEATS: '3',
  BERTH_TEST_RANDOM_KILLS: '500',
  BERTH_TEST_FUZZ: '1000000',
  BERTH_TEST_STORMS: '10',
  BERTH_TEST_STORM_SECONDS: '300',
});
