// `npm run test:deploy`: docs/kubernetes.md typed line by line in an empty cluster, and replicas killed there. Builds images.
import { installDependencies } from './dependencies.js';
import { step } from './progress.js';
import { runTests } from './run-tests.js';

// In a cluster of its own, whatever the caller has: all that the page makes, it deletes by name.
delete process.env.BERTH_TEST_KUBECONFIG;
await step('dependencies', installDependencies, (fresh) => (fresh ? 'installed' : 'present'));
process.exitCode = await runTests(['server/test/deploy'], { BERTH_TEST_DEPLOY: '1' });
