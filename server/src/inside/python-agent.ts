import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CONSOLE_LIMIT, merged } from '../domain/execution/console.ts';
import type { Patience } from '../domain/execution/executor.ts';
import type { BatchCommands, RunAnswer, RunStep } from '../domain/execution/run.ts';
import type { ContainerRef, Runtime } from '../runtimes/runtime.ts';
import { Conversation, NoAnswer } from './conversation.ts';
import { nameInside, type Language } from './language.ts';
import { REFUSALS, refusedRun } from './refused-run.ts';

const program = (name: string): string => readFileSync(new URL(`./python/${name}.py`, import.meta.url), 'utf8');
const RELAY = program('relay');
const PARTS = { agent: [program('console'), program('callers'), program('agent')].join('\n'), interpreter: program('interpreter') };

/** Whatever is long comes by stdin: arguments are short, and anybody on the machine can read them. */
const COMMAND = [
  'python3',
  '-I',
  '-c',
  "import json, sys; exec(compile(json.loads(sys.stdin.buffer.readline().decode()), 'berth-relay', 'exec'))",
];
const ANSWERS_WITHIN_MS = 2000;

const Piece = z.tuple([z.enum(['stdout', 'stderr']), z.string()]);
const Told = z.object({
  need: z.literal('agent').optional(),
  problem: z.enum(REFUSALS).optional(),
  status: z.enum(['continued', 'waiting-input', 'clean-finished', 'build-finished', 'finished', 'exec-timeout']).default('continued'),
  exitCode: z.number().int().nullable().default(null),
  raised: z.boolean().default(false),
  isPassword: z.boolean().default(false),
  console: z.array(Piece).default([]),
  completions: z.array(z.string()).default([]),
});
type Told = z.output<typeof Told>;

/** Python in a container: an interpreter that keeps its variables, whichever server asks. */
export class PythonAgent implements Language {
  readonly #runtime: Runtime;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async run(ref: ContainerRef, step: RunStep, { waitMs, flushMs, signal }: Patience): Promise<RunAnswer> {
    const { runId } = step;
    const question = { ...questionOf(step), run: runId, wait: waitMs / 1000, flush: flushMs / 1000, limit: CONSOLE_LIMIT };
    const { problem, status, exitCode, raised, isPassword, console } = await this.#ask(ref, question, signal);
    if (problem !== undefined) return refusedRun(problem, runId);
    return { runId, status, exitCode, raised, isPassword, console: merged(console.map(([stream, text]) => ({ stream, text }))) };
  }

  async interrupt(ref: ContainerRef, runId: string | null, signal: AbortSignal): Promise<void> {
    await this.#ask(ref, { do: 'interrupt', run: runId, wait: ANSWERS_WITHIN_MS / 1000 }, signal);
  }

  async complete(ref: ContainerRef, line: string, signal: AbortSignal): Promise<readonly string[]> {
    const { completions } = await this.#ask(ref, { do: 'complete', text: line, wait: ANSWERS_WITHIN_MS / 1000 }, signal);
    return completions;
  }

  async #ask(ref: ContainerRef, question: object, signal: AbortSignal): Promise<Told> {
    const talk = await Conversation.open(this.#runtime, ref, { command: COMMAND, signal });
    try {
      talk.say(JSON.stringify(RELAY));
      talk.say(JSON.stringify({ ...question, socket: nameInside(ref) }));
      const first = told(await talk.line());
      if (first.need === undefined) return confirmed(talk, first);
      talk.say(JSON.stringify(PARTS));
      return confirmed(talk, told(await talk.line()));
    } catch (error) {
      talk.hangUp();
      throw error;
    }
  }
}

/** What is not confirmed comes again with the next question: who has gone has not read it. */
function confirmed(talk: Conversation, answer: Told): Told {
  talk.say(JSON.stringify('taken'));
  talk.release();
  return answer;
}

function told(line: string): Told {
  const parsed = Told.safeParse(jsonOf(line));
  if (parsed.success) return parsed.data;
  throw new NoAnswer(undefined, 'what should be the agent in it says something else');
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // Told as anything else that is no answer.
    return undefined;
  }
}

function questionOf(step: RunStep): object {
  switch (step.mode) {
    case 'query':
      return { do: 'run', code: step.code, timeout: seconds(step.timeoutMs) };
    case 'batch':
      return { do: 'run', steps: stepsOf(step.commands), timeout: seconds(step.timeoutMs) };
    case 'input':
      return { do: 'input', text: step.text };
    case 'continue':
      return { do: 'go-on' };
  }
}

const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);

/** Each with the status that its end has. */
const stepsOf = ({ clean, build, exec }: BatchCommands): readonly (readonly [string, string])[] =>
  (
    [
      ['clean-finished', clean],
      ['build-finished', build],
      ['finished', exec],
    ] as const
  ).flatMap(([status, command]) => (command === null ? [] : [[status, command] as const]));
