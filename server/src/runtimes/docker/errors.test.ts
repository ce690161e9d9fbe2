import { describe, expect, it, vi } from 'vitest';
import { parseEngineAddress } from './engine-address.ts';
import { EngineRefusal, engineError } from './errors.ts';

const address = parseEngineAddress('unix:///run/engine.sock');
const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('an engine that cannot be used', () => {
  it('has three different messages: not running, no permission, not installed', () => {
    const notRunning = engineError(failure('ECONNREFUSED'), address);
    const noPermission = engineError(failure('EACCES'), address);
    vi.stubEnv('PATH', '/nowhere');
    const absent = engineError(failure('ENOENT'), address);
    vi.unstubAllEnvs();
    expect(notRunning.message).toContain('not running');
    expect(noPermission.message).toContain('no permission');
    // Where an engine is installed after all, in a folder of the system, its socket is merely missing.
    expect(absent.message).toMatch(/no container engine is installed|not running/);
    for (const error of [notRunning, noPermission, absent])
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
