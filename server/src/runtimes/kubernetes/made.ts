import { ClusterRefusal } from './errors.ts';

/** For what has a name of its own: somebody, perhaps another server, made it before. */
export async function made(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof ClusterRefusal) || error.reason !== 'AlreadyExists') throw error;
  }
}
