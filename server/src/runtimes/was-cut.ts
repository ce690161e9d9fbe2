/** The connection broke: mostly a kept one that the other side had just closed. */
export const wasCut = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
