import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import { observe, type Evidence } from './observe.ts';

const ref = { sessionId: 's', generation: 1, container: 'main1' };
const NEVER = '0001-01-01T00:00:00Z';
const at = (minute: number): string => `2026-01-01T10:${String(minute).padStart(2, '0')}:00Z`;
const container = (state: Partial<ContainerInspectInfo['State']>): ContainerInspectInfo =>
  ({
    State: { Status: 'exited', ExitCode: 0, OOMKilled: false, StartedAt: at(1), FinishedAt: at(10), ...state },
    HostConfig: { OomScoreAdj: 400, Memory: 64 * 2 ** 20 },
    Config: { Entrypoint: ['train'], Cmd: ['--all'] },
  }) as unknown as ContainerInspectInfo;
const engineStart = (minute: number): Evidence => ({ engineStartedAt: new Date(at(minute)) });

describe('what an engine says, in our words', () => {
  it.each([
    ['running', 'running'],
    ['paused', 'frozen'],
    ['restarting', 'running'],
    ['exited', 'exited'],
    ['dead', 'exited'],
  ])('%s is %s', (Status, phase) => {
    expect(observe(ref, container({ Status })).phase).toBe(phase);
  });

  it('a container that was made and never started is created', () => {
    expect(observe(ref, container({ Status: 'created', StartedAt: NEVER, FinishedAt: NEVER }))).toEqual({ ref, phase: 'created' });
  });

  it('a start that the engine gave up for want of the command is an end with its cause', () => {
    expect(observe(ref, container({ Status: 'created', StartedAt: NEVER, ExitCode: 127 }))).toMatchObject({
      phase: 'exited',
      exitCode: 127,
      cause: { code: 'command-not-found' },
    });
  });

  it.each<[string, Partial<ContainerInspectInfo['State']>, Evidence, boolean]>([
    ['by a signal before the engine started', { ExitCode: 143 }, engineStart(59), true],
    ['with success shortly before it', { ExitCode: 0 }, engineStart(11), true],
    ['with success long before it', { ExitCode: 0 }, engineStart(59), false],
    ['in the middle of its start', { ExitCode: 0 }, engineStart(10), true],
    ['after it, having been left running', { ExitCode: 0 }, { ...engineStart(5), liveRestore: true }, false],
    ['having been started after it', { ExitCode: 137 }, engineStart(0), false],
    ['where nobody knows when the engine started', { ExitCode: 137 }, {}, false],
    ['in a way that Podman forgot with the machine', { Status: 'created' }, {}, true],
  ])('one that ended %s', (_, state, evidence, interrupted) => {
    expect(observe(ref, container(state), evidence).interrupted ?? false).toBe(interrupted);
  });

  it.each<[string, Partial<ContainerInspectInfo['State']>, Evidence, string | undefined]>([
    ['137 with the flag', { ExitCode: 137, OOMKilled: true }, {}, 'out-of-memory'],
    ["137 with the kernel's word", { ExitCode: 137 }, { killedForMemory: 'limit' }, 'out-of-memory'],
    ['137 alone', { ExitCode: 137 }, {}, undefined],
    ['success with the flag: a child', { ExitCode: 0, OOMKilled: true }, {}, undefined],
    ['127 that the init program explains', { ExitCode: 127 }, { initFailure: 127 }, 'command-not-found'],
    ['a bootstrap script that failed', { ExitCode: 3 }, { bootstrap: { unfinished: true, notExecuted: undefined } }, 'bootstrap-failed'],
    [
      'one that ran out of memory',
      { ExitCode: 137, OOMKilled: true },
      { bootstrap: { unfinished: true, notExecuted: undefined } },
      'out-of-memory',
    ],
    [
      'one that the engine interrupted',
      { ExitCode: 143 },
      { ...engineStart(59), bootstrap: { unfinished: true, notExecuted: undefined } },
      undefined,
    ],
    [
      'a command that is not there after its bootstrap script',
      { ExitCode: 127 },
      { bootstrap: { unfinished: false, notExecuted: { code: 127, program: 'x' } } },
      'command-not-found',
    ],
    ["127 alone: a shell's", { ExitCode: 127 }, {}, undefined],
  ])('%s', (_, state, evidence, code) => {
    expect(observe(ref, container(state), evidence).cause?.code).toBe(code);
  });
});
