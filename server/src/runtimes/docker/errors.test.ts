import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseEngineAddress } from './engine-address.ts';
import { EngineRefusal, engineError } from './errors.ts';

const address = parseEngineAddress('unix:///run/engine.sock');
const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('an engine that cannot be used', () => {
  it('has three different messages: not running, no permission, not installed', () => {
    const programs = mkdtempSync(join(tmpdir(), 'berth-programs-'));
    onTestFinished(() => rmSync(programs, { recursive: true }));
    const absent = engineError(failure('ENOENT'), address, undefined, [programs]);
    writeFileSync(join(programs, 'podman'), '', { mode: 0o755 });
    const socketMissing = engineError(failure('ENOENT'), address, undefined, [programs]);
    const notRunning = engineError(failure('ECONNREFUSED'), address);
    const noPermission = engineError(failure('EACCES'), address);
    expect(absent.message).toContain('no container engine is installed');
    expect(socketMissing.message).toContain('not running');
    expect(notRunning.message).toContain('not running');
    expect(noPermission.message).toContain('no permission');
    for (const error of [absent, socketMissing, notRunning, noPermission])
      expect(error).toMatchObject({ kind: 'unreachable', failure: { code: 'engine-unavailable' } });
  });

  it('that refuses keeps its status and its words', () => {
    const refused = engineError(
      Object.assign(new Error('(HTTP code 409) x'), { statusCode: 409, json: { message: 'name is in use' } }),
      address,
    );
    expect(refused).toBeInstanceOf(EngineRefusal);
    expect(refused).toMatchObject({ status: 409, said: 'name is in use', kind: 'retry' });
  });

  it('with a full disk says so', () => {
    const full = engineError(
      Object.assign(new Error('x'), { statusCode: 500, json: { message: 'write /x: no space left on device' } }),
      address,
    );
    expect(full.failure).toMatchObject({ code: 'disk-full' });
  });
});
