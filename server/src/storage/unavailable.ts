import { DatabaseError } from 'pg';
import { DatabaseUnavailable } from '../domain/database-unavailable.ts';

/** SQLSTATE classes and codes with which a server says "not now": connection lost, no resources, shutting down, starting up. */
const NOT_NOW = [/^08/, /^53/, /^57P0[1235]$/, /^58/, /^25P0[34]$/];

/** For `.catch`: rethrows, as DatabaseUnavailable where the server could not be asked. */
export function asUnavailable(error: unknown): never {
  if (error instanceof DatabaseError) {
    if (NOT_NOW.some((pattern) => pattern.test(error.code ?? ''))) throw new DatabaseUnavailable(error);
    throw error;
  }
  // A mistake of ours, such as a parameter that cannot be encoded.
  if (error instanceof TypeError || error instanceof RangeError) throw error;
  // Neither an answer of the server nor our mistake: the connection. The driver gives these no codes.
  throw new DatabaseUnavailable(error);
}

/** The name of the violated constraint or unique index, or undefined. */
export function violatedUnique(error: unknown): string | undefined {
  return error instanceof DatabaseError && error.code === '23505' ? error.constraint : undefined;
}
