/** What one transfer may take. Whoever needs more mounts a storage. */
export const FILE_LIMITS = {
  /** One file, or one folder as an archive; both ways. */
  bytes: 16 * 1024 ** 3,
  /** From its beginning to its end. */
  totalMs: 2 * 3_600_000,
  /** Neither the container nor, on the way in, the client may let it rest for longer. */
  stallMs: 60_000,
  /** A folder is listed up to here. */
  entries: 10_000,
} as const;
