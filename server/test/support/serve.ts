import { runServer } from '../../src/main.ts';

process.exitCode = await runServer({});
