import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchCommands } from './batch-commands.ts';
import { runStepOf, type AskedStep } from './run-step.ts';

const asked = (changes: Partial<AskedStep>): AskedStep => ({
  mode: 'query',
  code: '',
  runId: null,
  batch: {},
  timeoutMs: null,
  ...changes,
});
const newId = (): string => 'made-here';

describe('a step', () => {
  test('of a new run gets an id, unless one was chosen', () => {
    expect(runStepOf(asked({ code: '1' }), newId)).toEqual({ mode: 'query', runId: 'made-here', code: '1', timeoutMs: null });
    expect(runStepOf(asked({ mode: 'batch', runId: 'mine', batch: { exec: 'true' } }), newId)).toMatchObject({
      mode: 'batch',
      runId: 'mine',
    });
  });

  test.each(['continue', 'input'] as const)('%s without a run is refused, naming the field', (mode) => {
    expect(() => runStepOf(asked({ mode }), newId)).toThrow(expect.objectContaining({ code: 'invalid-field', field: 'runId' }));
    expect(runStepOf(asked({ mode, runId: 'r', code: 'x' }), newId)).toEqual(
      mode === 'input' ? { mode, runId: 'r', text: 'x' } : { mode, runId: 'r' },
    );
  });
});

describe('a batch', () => {
  test('leaves out what is null, empty or not there, and takes "*" for the usual command', () => {
    expect(batchCommands({ clean: null, build: ' ', exec: 'make test' })).toEqual({ clean: null, build: null, exec: 'make test' });
    expect(batchCommands({ exec: '*' }).exec).toContain('main.py');
    expect(batchCommands({ build: '*', clean: '*' })).toEqual({
      clean: expect.stringContaining('make clean') as string,
      build: expect.stringContaining('make') as string,
      exec: null,
    });
  });

  test('that does nothing is refused', () => {
    const nothing = fc.constantFrom(undefined, null, '', ' \n');
    fc.assert(
      fc.property(nothing, nothing, nothing, (clean, build, exec) => {
        expect(() => batchCommands({ clean, build, exec })).toThrow(expect.objectContaining({ code: 'invalid-field' }));
      }),
    );
  });
});
