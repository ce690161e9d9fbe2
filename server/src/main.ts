import { ConfigError, loadConfig, type Shown } from './config.ts';
import { startApp } from './app.ts';
import { StorageRefusal } from './storage/refusal.ts';
import { createLog } from './telemetry.ts';

/** `berth server`: runs until SIGINT or SIGTERM. Answers the exit code. */
export async function runServer(options: { config?: string }): Promise<number> {
  try {
    const { config } = loadConfig({ ...(options.config === undefined ? {} : { file: options.config }), env: process.env });
    const log = createLog(config.logLevel);
    const ended = untilSignal();
    const app = await startApp(config, log, (line) => process.stderr.write(`${line}\n`));
    process.stderr.write(`Berth answers at ${app.url}; its data is in ${config.data}. Ctrl+C ends it and keeps the sessions.\n`);
    log.info({ signal: await ended }, 'stopping; sessions go on');
    await app.close();
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StorageRefusal || isListenError(error))) throw error;
    process.stderr.write(`berth server: ${error.message}\n`);
    return 1;
  }
}

/** The settings in force and where each came from. */
export const showConfig = (options: { config?: string }): readonly Shown[] =>
  loadConfig({ ...(options.config === undefined ? {} : { file: options.config }), env: process.env }).shown;

function untilSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal));
  });
}

const isListenError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error && error.syscall === 'listen';
