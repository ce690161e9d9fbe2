/** Where storage writes what an operator should know. */
export type Log = (level: 'info' | 'warn' | 'error', message: string, fields?: object) => void;
