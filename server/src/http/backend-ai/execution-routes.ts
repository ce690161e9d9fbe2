import { z } from 'zod';
import { runStepOf } from '../../domain/execution/run-step.ts';
import { audit } from '../caller.ts';
import { check } from '../check.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { executionResult } from './execution-result.ts';
import { findSession, refuseStrangers } from './find-session.ts';
import { canonical } from './parameters.ts';
import { Refusal } from './refusal.ts';
import { isUp, statusOf } from './session-status.ts';
import type { SignedCaller } from './signature-check.ts';

/** As long as theirs hold a request; clients give up after five seconds. */
const WAIT_MS = 2000;

const ALIASES = { runId: ['run_id'] };
const Command = z.string().max(131_072).optional();
const Execution = z.object({
  mode: z.enum(['query', 'batch', 'input', 'continue', 'complete']),
  code: z.string().default(''),
  runId: z.string().min(1).max(64).optional(),
  options: z.object({ clean: Command, build: Command, exec: Command }).default({}),
});
const Completion = z.object({
  code: z.string().default(''),
  options: z.object({ line: z.string().optional() }).default({}),
});

type Handle = (surface: Surface, call: Call, caller: SignedCaller) => Promise<Sent>;

export function executionRoutes(surface: Surface): readonly Route[] {
  const route = (path: string, handle: Handle): Route => ({
    method: 'POST',
    path,
    handle: (call, caller) => handle(surface, call, caller),
  });
  return [route('/session/:id', execute), route('/session/:id/interrupt', interrupt), route('/session/:id/complete', complete)];
}

async function execute(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { parts } = surface;
  const asked = check(Execution, canonical(call.parameters, ALIASES));
  if (asked.mode === 'complete') return complete(surface, call, caller);
  refuseWithoutRunId(call);
  const { mode, code, runId = null, options: batch } = asked;
  const step = runStepOf({ mode, code, runId, batch, timeoutMs: null }, parts.newId);
  const session = await ownRunning(surface, call, caller);
  if (mode === 'query' || mode === 'batch') audit(caller, 'session.run', session);
  parts.uses.executed(session.id, parts.now());
  const answer = await parts.executor.run(session, step, { waitMs: WAIT_MS, flushMs: WAIT_MS, signal: call.open() });
  return { status: 200, body: { result: executionResult(answer) } };
}

async function interrupt(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const session = await ownRunning(surface, call, caller);
  audit(caller, 'session.interrupt', session);
  await surface.parts.executor.interrupt(session, null);
  return { status: 204 };
}

async function complete(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { code, options } = check(Completion, call.parameters);
  const session = await ownRunning(surface, call, caller);
  surface.parts.uses.count(session.id);
  const line = options.line ?? code.split('\n').at(-1) ?? '';
  const completions = await surface.parts.executor.complete(session, line);
  return { status: 200, body: { result: { status: 'finished', completions } } };
}

/** Null is "make one"; leaving it out is a mistake. */
function refuseWithoutRunId({ given }: Call): void {
  const names = ['runId', ...ALIASES.runId];
  if (names.some((name) => given().has(name))) return;
  throw new Refusal('invalid-api-params', 'runId is missing: send the id of the run, or null for a new one', {
    title: 'Input validation error',
    data: { runId: 'is required' },
  });
}

async function ownRunning(surface: Surface, call: Call, caller: SignedCaller) {
  const found = await findSession(surface, { call, caller }, { dead: false });
  refuseStrangers(found, caller);
  if (isUp(found.session)) return found.session;
  throw new Refusal('invalid-api-params', `${found.session.name} is ${statusOf(found.session)}: code runs in a running session only`);
}
