import type { Command } from 'commander';
import type { Connection } from './connection/connect.ts';
import type { ServerChoice } from './connection/find-server.ts';
import type { Io } from './io.ts';

/** What a running command is given. */
export interface Context {
  readonly io: Io;
  readonly json: boolean;
  readonly quiet: boolean;
  /** By --token. */
  readonly givenToken: string | undefined;
  /** Which server, and the token if one is known; asks nobody. */
  readonly findServer: () => Promise<ServerChoice>;
  /** Signs in, asking for a token on a terminal where none is known. */
  readonly connect: () => Promise<Connection>;
}

/** Answers the exit code. */
export type Run = (context: Context) => Promise<number>;

/** Arguments, options and help of a command; its action hands `run` what is to be done. */
export type Define = (command: Command, run: (action: Run) => Promise<void>) => void;

export interface CommandModule {
  readonly define: Define;
}
