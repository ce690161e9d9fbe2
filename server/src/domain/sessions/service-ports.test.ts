import type { ServicePort } from '@berth/contract';
import { describe, expect, test } from 'vitest';
import { EXAMPLE_SPEC } from './example-session.ts';
import { refuseDoublePorts, servicePortsOf } from './service-ports.ts';

const service = (name: string, port: number): ServicePort => ({ name, port, protocol: 'http' });
const shown = (asked: { port?: number; ports?: ServicePort[] }, imagePorts: ServicePort[] | null = null): string[] =>
  servicePortsOf({ spec: { ...EXAMPLE_SPEC, ...asked }, imagePorts }).map(({ name, port }) => `${name}:${port}`);

describe('the services of a session', () => {
  test.each<[string, Parameters<typeof shown>, string[]]>([
    ['none', [{}], []],
    ['the port by which it is ready', [{ port: 8888 }], ['app:8888']],
    ['which may have a name', [{ port: 8888, ports: [service('jupyter', 8888)] }], ['jupyter:8888']],
    ['which its image may have given it', [{ port: 8888 }, [service('lab', 8888)]], ['lab:8888']],
    [
      'those asked for before those of the image',
      [{ ports: [service('a', 1)] }, [service('a', 2), service('b', 1), service('c', 3)]],
      ['a:1', 'c:3'],
    ],
    ['a name that is taken', [{ port: 8888 }, [service('app', 80)]], ['app-8888:8888', 'app:80']],
  ])('%s', (_, args, expected) => expect(shown(...args)).toEqual(expected));

  test('have a name and a port each', () => {
    expect(() => refuseDoublePorts([service('a', 1), service('a', 2)])).toThrow('two services are called "a"');
    expect(() => refuseDoublePorts([service('a', 1), service('b', 1)])).toThrow('port 1 is declared twice, as "a" and "b"');
    expect(refuseDoublePorts([service('a', 1), service('b', 2)])).toBeUndefined();
  });
});
