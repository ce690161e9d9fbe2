export type RefusalCode =
  | 'folder-busy'
  | 'wrong-version'
  | 'no-space'
  | 'wrong-owner'
  | 'wrong-permissions'
  | 'unreachable-folder'
  | 'no-postgres'
  | 'no-system-user'
  | 'start-failed'
  | 'newer-schema'
  | 'server-too-old'
  | 'database-unreachable'
  | 'damaged-key'
  | 'damaged-backup'
  | 'unwritable-backup'
  | 'not-empty'
  | 'berth-running';

/** Storage does not open, and the message says why and what to do. Nothing was changed. */
export class StorageRefusal extends Error {
  override readonly name = 'StorageRefusal';
  readonly code: RefusalCode;
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
