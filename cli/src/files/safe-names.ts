import { Failure } from '../failure.ts';

/** The names in a path of an archive that code in a session may have made up. Throws for one that leads elsewhere. */
export function safeNames(path: string): readonly string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  const isOdd = names.some((name) => name === '..' || name.includes('\0') || (process.platform === 'win32' && /[\\:]/.test(name)));
  if (!isOdd) return names;
  throw new Failure(
    'failed',
    `the archive holds "${path}", which would lead out of the folder it is unpacked to: nothing more was unpacked.`,
  );
}
