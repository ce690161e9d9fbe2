import { Command, CommanderError } from 'commander';
import type { CommandModule, Context, Run } from './command.ts';
import { COMMANDS } from './command-table.ts';
import { EXIT, Failure } from './failure.ts';
import type { Io } from './io.ts';
import { reportFailure } from './report-failure.ts';

interface GlobalOptions {
  readonly url?: string;
  readonly token?: string;
  readonly json?: true;
  readonly quiet?: true;
}

/** Runs one command line to its end and answers the exit code. */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = buildProgram(io, async (action) => {
    const options = program.opts<GlobalOptions>();
    if (options.json && options.quiet) throw new Failure('usage', '--json and --quiet exclude each other: choose one.');
    exitCode = await action(contextOf(options, io));
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.ok;
      return isJson(argv) ? reportFailure(new Failure('usage', error.message.replace(/^error: /, '')), io, true) : EXIT.usage;
    }
    // As a program of the shell that is stopped by SIGPIPE: nobody is left to be told.
    if (error instanceof Error && error.name === 'OutputClosed') return EXIT.outputClosed;
    return reportFailure(error, io, isJson(argv));
  }
}

/** Also known when parsing went wrong before the options were read. */
function isJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json');
}

type Runner = (action: Run) => Promise<void>;

/** The tree of commands. Each verb is a name and a summary until it is used: then its module is loaded and defines it. */
export function buildProgram(io: Io, run: Runner): Command {
  const program = new Command('berth')
    .description('Compute sessions on Docker, Podman and Kubernetes')
    .option('--url <url>', 'server to speak to (BERTH_URL)')
    .option('--token <token>', 'token to sign in with; others on this machine can see it, so better set BERTH_TOKEN')
    .option('--json', 'answer one JSON document; streams: one per line')
    .option('-q, --quiet', 'print ids only')
    .configureHelp({ showGlobalOptions: true, helpWidth: io.stdout.columns ?? 100 })
    .showSuggestionAfterError()
    .exitOverride();
  configureOutput(program, io);
  for (const [name, entry] of Object.entries(COMMANDS)) {
    const command = program.command(name).description('summary' in entry ? entry.summary : '');
    if ('load' in entry) continue;
    for (const [verb, { summary }] of Object.entries(entry.verbs)) command.command(verb).description(summary);
    command.hook('preSubcommand', (_, verb) => defineVerb(verb, entry.verbs[verb.name()], run));
  }
  program.hook('preSubcommand', (_, command) => {
    const entry = COMMANDS[command.name()];
    return entry && 'load' in entry ? defineVerb(command, entry, run) : undefined;
  });
  return program;
}

async function defineVerb(command: Command, verb: { load: () => Promise<CommandModule> } | undefined, run: Runner): Promise<void> {
  if (verb === undefined) return;
  (await verb.load()).define(command, run);
  // commander gives --no-x its default before this hook: to an option that is defined in it nobody else does.
  for (const { negate, long } of command.options) {
    const name = long?.replace(/^--no-/, '') ?? '';
    if (negate && !command.options.some((option) => option.long === `--${name}`)) command.setOptionValueWithSource(name, true, 'default');
  }
}

function configureOutput(program: Command, io: Io): void {
  program.configureOutput({
    writeOut: (text) => io.stdout.write(text),
    writeErr: (text) => io.stderr.write(text),
    getOutHelpWidth: () => io.stdout.columns ?? 100,
    getErrHelpWidth: () => io.stderr.columns ?? 100,
    outputError: (text, write) => {
      if (program.opts<GlobalOptions>().json) return;
      write(text.replace(/^error: /, 'Error: '));
    },
  });
}

function contextOf(options: GlobalOptions, io: Io): Context {
  const given = {
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.token === undefined ? {} : { token: options.token }),
  };
  return {
    io,
    json: options.json === true,
    quiet: options.quiet === true,
    givenToken: options.token,
    findServer: async () => (await import('./connection/find-server.ts')).findServer(given, io),
    connect: async () => (await import('./connection/connect.ts')).connect(given, io),
  };
}
