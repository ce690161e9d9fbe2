import { ProblemError } from '@berth/contract';

/** The database cannot be asked at the moment. Whether a write under way was done is not known: read again, then retry. */
export class DatabaseUnavailable extends ProblemError {
  constructor(cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super('database-unavailable', `The database does not answer (${why}). It is tried again; nothing that was acknowledged is lost.`, {
      cause,
    });
  }
}
