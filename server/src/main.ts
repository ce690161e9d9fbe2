import { startApp } from './app.ts';
import { ConfigError, loadConfig, type Config, type Shown } from './config.ts';
import { RuntimeError } from './runtimes/runtime.ts';
import { backup } from './storage/backup.ts';
import type { BackupHead } from './storage/backup-file.ts';
import { StorageRefusal } from './storage/refusal.ts';
import { restore } from './storage/restore.ts';
import { createLog } from './telemetry.ts';

const EXIT_MS = 3_000;
/** The terminal, npm and the launcher each pass on one key press; only a second one is a person who will not wait. */
const SAME_KEY_PRESS_MS = 500;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 };

interface FileOptions extends Options {
  readonly file: string;
  /** Tells on stdout, as one JSON document, what was done. */
  readonly json: boolean;
}
interface Options {
  /** A YAML file. */
  readonly config?: string | undefined;
}

/** `berth server`: runs until SIGINT or SIGTERM. Answers the exit code. */
export const runServer = (options: Options): Promise<number> =>
  inWords('berth server', async () => {
    const { config } = settings(options);
    const log = createLog(config.logLevel);
    const ended = untilSignal();
    const app = await startApp(config, log, say);
    say(`Berth answers at ${app.url}; its data is in ${config.data}. Ctrl+C ends it and keeps the sessions.`);
    log.info({ signal: await ended }, 'stopping; sessions go on');
    await app.close();
    // Whatever still holds the process open must not keep a person waiting.
    setTimeout(() => process.exit(0), EXIT_MS).unref();
  });

/** `berth backup FILE`: the database, the secret key and the names of the storages, also while a server runs. */
export const runBackup = (options: FileOptions): Promise<number> =>
  inWords('berth backup', async () => {
    const head = await backup(place(settings(options).config), options.file);
    if (options.json) return tell(options.file, head);
    say(`Wrote ${options.file} (mode 0600: it holds the secret key).`);
    const names = head.storages.map(({ name, owner, called }) => `${name} (${called ?? 'home'} of ${owner})`);
    say(`The files in storages are not in it, only their names: ${names.join(', ')}. Copy the engine's volumes to keep them.`);
  });

/** `berth restore FILE`: refuses while a server runs; what was there is kept aside until it has succeeded. */
export const runRestore = (options: FileOptions & { readonly replace: boolean }): Promise<number> =>
  inWords('berth restore', async () => {
    const head = await restore(place(settings(options).config), options.file, { replace: options.replace });
    if (options.json) return tell(options.file, head);
    say(`Restored ${options.file}, written at ${head.at}. Sessions that it does not know are kept aside by the next server, not removed.`);
  });

const tell = (file: string, { at, instance, storages }: BackupHead): void =>
  void process.stdout.write(`${JSON.stringify({ file, at, instance, storages })}\n`);

/** The settings in force and where each came from. */
export const showConfig = (options: Options): readonly Shown[] => settings(options).shown;

const settings = ({ config }: Options) => loadConfig({ ...(config === undefined ? {} : { file: config }), env: process.env });

function place(config: Config) {
  const log = createLog(config.logLevel === 'info' ? 'warn' : config.logLevel);
  return {
    ...(config.databaseUrl === undefined ? {} : { databaseUrl: config.databaseUrl }),
    dataFolder: config.data,
    report: say,
    log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: object) => log[level](fields ?? {}, message),
  };
}

/** What a person can mend is said in a sentence; everything else is a mistake of ours and keeps its stack. */
async function inWords(command: string, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (error instanceof RuntimeError) say(`${command}: ${error.message}. ${error.failure.remedy}`);
    else if (error instanceof ConfigError || error instanceof StorageRefusal) say(`${command}: ${error.message}`);
    else if (isListenError(error))
      say(`${command}: ${error.message}. Choose another address with BERTH_LISTEN, or end what listens there.`);
    else throw error;
    return 1;
  }
}

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        firstAt ??= performance.now();
        resolve(signal);
        if (performance.now() - firstAt > SAME_KEY_PRESS_MS) process.exit(EXIT_CODES[signal]);
      });
    }
  });
}

const say = (line: string): void => void process.stderr.write(`${line}\n`);

const isListenError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error && error.syscall === 'listen';
