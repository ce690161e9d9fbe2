/** A claimed session that nobody settles becomes due again after this long: a dead server's work is taken up. */
export const LEASE_MS = 30_000;
