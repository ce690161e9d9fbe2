import { ProblemError } from '@berth/contract';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CONSOLE_LIMIT, merged } from '../domain/execution/console.ts';
import type { Patience } from '../domain/execution/executor.ts';
import { LOST_EXIT_CODE, type BatchCommands, type RunAnswer, type RunStep } from '../domain/execution/run.ts';
import type { ContainerRef, Runtime } from '../runtimes/runtime.ts';
import { Conversation, NoAnswer } from './conversation.ts';
import { nameInside, type Language } from './language.ts';
import { refusedRun } from './refused-run.ts';
import { parseShellAnswer, printedBy, wholeCharacters, type ShellAnswer } from './shell-answer.ts';

const PROGRAM = readFileSync(new URL('./shell/run.sh', import.meta.url), 'utf8').trimEnd();
/** As for Python, the program comes by stdin; its end is a line of its own, as the code's is. */
const BEGIN = `newline='
'
program=
while IFS= read -r line && [ "$line" != "$5" ]; do program=$program$line$newline; done
eval "$program"`;

/** Nobody waits for this answer: it comes at once, or never. */
const AT_ONCE = { waitMs: 0, flushMs: 0 };

type Question = Pick<Patience, 'waitMs' | 'flushMs' | 'signal'> & { readonly what: 'run' | 'go-on' | 'interrupt'; readonly key: string };

/** A container with nothing but a shell: each run is a shell of its own, whose variables end with it. */
export class ShellRuns implements Language {
  readonly #runtime: Runtime;
  readonly #newId: () => string;

  constructor(runtime: Runtime, newId: () => string) {
    this.#runtime = runtime;
    this.#newId = newId;
  }

  async run(ref: ContainerRef, step: RunStep, patience: Patience): Promise<RunAnswer> {
    refuseWhatShellsCannot(step);
    const { runId } = step;
    const code = codeOf(step);
    const end = `end-of-code-${this.#newId()}`;
    const question: Question = { ...patience, what: code === null ? 'go-on' : 'run', key: keyOf(runId) };
    const talk = await this.#begin(ref, question, end);
    try {
      if (code !== null) talk.say(`${code}\n${end}`);
      const answer = parseShellAnswer(await talk.line(), CONSOLE_LIMIT);
      const stdout = await talk.bytes(answer.stdout);
      const stderr = await talk.bytes(answer.stderr);
      return await concluded(talk, { runId, answer, stdout, stderr });
    } catch (error) {
      talk.hangUp();
      throw error;
    }
  }

  async interrupt(ref: ContainerRef, runId: string | null, signal: AbortSignal): Promise<void> {
    const key = runId === null ? '-' : keyOf(runId);
    const talk = await this.#begin(ref, { ...AT_ONCE, what: 'interrupt', key, signal }, `end-of-code-${this.#newId()}`);
    try {
      parseShellAnswer(await talk.line(), CONSOLE_LIMIT);
      talk.release();
    } catch (error) {
      talk.hangUp();
      throw error;
    }
  }

  async complete(ref: ContainerRef, _line: string, signal: AbortSignal): Promise<readonly string[]> {
    // Nothing to tell; but whether there is a shell at all is found out as for everything else.
    const talk = await Conversation.open(this.#runtime, ref, { command: ['sh', '-c', 'echo done'], signal });
    await talk.line();
    talk.release();
    return [];
  }

  async #begin(ref: ContainerRef, { what, key, waitMs, flushMs, signal }: Question, end: string): Promise<Conversation> {
    const seconds = String(Math.round(waitMs / 1000));
    const manner = flushMs < waitMs ? 'eager' : 'patient';
    const command = ['sh', '-c', BEGIN, 'berth', what, key, nameInside(ref), seconds, end, String(CONSOLE_LIMIT), manner];
    const talk = await Conversation.open(this.#runtime, ref, { command, signal });
    talk.say(`${PROGRAM}\n${end}`);
    return talk;
  }
}

/** Fit for the name of a file, whatever the id is. */
const keyOf = (runId: string): string => createHash('sha256').update(runId).digest('hex').slice(0, 32);

interface Heard {
  readonly runId: string;
  readonly answer: ShellAnswer;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** The beginning of a character is not taken: it comes again, with its end. */
async function concluded(talk: Conversation, { runId, answer, stdout, stderr }: Heard): Promise<RunAnswer> {
  const { status, exitCode } = answer;
  const goesOn = status === 'continued';
  const taken = [stdout, stderr].map((bytes) => bytes.subarray(0, goesOn ? wholeCharacters(bytes) : bytes.length)) as [Buffer, Buffer];
  talk.say(`taken ${taken[0].length} ${taken[1].length}`);
  // The next question may not be faster than this word. Unheard, the same is told again: better twice than never.
  await talk.line().catch(() => undefined);
  talk.release();
  if (status === 'done') throw new NoAnswer(undefined, 'what should run its code says something else');
  if (status !== 'continued' && status !== 'finished' && status !== 'lost') return refusedRun(status, runId);
  return {
    runId,
    status,
    exitCode: status === 'lost' ? LOST_EXIT_CODE : goesOn ? null : exitCode,
    raised: false,
    isPassword: false,
    console: merged(printedBy(...taken)),
  };
}

function refuseWhatShellsCannot(step: RunStep): void {
  if (step.mode === 'input') {
    throw new ProblemError('wrong-state', 'this session has no Python, only a shell: code in it is given no input');
  }
  if ('timeoutMs' in step && step.timeoutMs !== null) {
    throw new ProblemError('invalid-field', 'this session has no Python, only a shell: leave out the time limit', { field: 'timeout' });
  }
}

function codeOf(step: RunStep): string | null {
  if (step.mode === 'query') return step.code;
  return step.mode === 'batch' ? scriptOf(step.commands) : null;
}

function scriptOf({ clean, build, exec }: BatchCommands): string {
  const lines = [
    ...(clean === null ? [] : [`sh -c ${quoted(clean)}`]),
    ...(build === null ? [] : [`sh -c ${quoted(build)} || exit 127`]),
    ...(exec === null ? [] : [`sh -c ${quoted(exec)}`]),
  ];
  return lines.join('\n');
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
