import { openStorage } from '../../src/storage/storage.ts';

/** A process that holds a storage, to be killed by a test. Prints its lines, then `ready`. */
const [dataFolder = ''] = process.argv.slice(2);
const storage = await openStorage({ dataFolder, report: (line) => console.log(line), log: () => undefined });
console.log(`ready ${storage.instance}`);
process.once('SIGTERM', () => void storage.close());
