import type { Session } from '@berth/contract';
import { EXIT } from '../failure.ts';
import type { Io } from '../io.ts';
import { causeWords, shortId } from '../output/words.ts';
import type { Ending } from '../terminal/stay-attached.ts';

/** Says how being attached ended, where there is something to say; answers the exit code. */
export function tellEnding(ending: Ending, session: Pick<Session, 'id' | 'tty'>, io: Io): number {
  const comeBack = `berth session attach ${shortId(session.id)}`;
  switch (ending.kind) {
    case 'exit':
      if (ending.cause) io.stderr.write(`Error: ${causeWords(ending.cause)}\n`);
      return ending.code;
    case 'detached':
      io.stderr.write(`\nDetached; the session goes on. Come back with: ${comeBack}\n`);
      return EXIT.ok;
    case 'left':
      io.stderr.write(`${session.tty ? '\n' : ''}The session goes on. Come back with: ${comeBack}\n`);
      return EXIT.interrupted;
    case 'input-cut':
      io.stderr.write(
        `Error: the connection was lost before all of the input was sent. The session goes on without it; stop it with: berth session stop ${shortId(session.id)}\n`,
      );
      return EXIT.failure;
    case 'hang-up':
    // Nobody is left to be told.
  }
  return EXIT.hangUp;
}
