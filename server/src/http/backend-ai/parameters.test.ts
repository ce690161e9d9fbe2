import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCreateParameters } from './create-parameters.ts';
import { canonical, mergeParameters } from './parameters.ts';

const merged = (query: Record<string, unknown>, body: string) => mergeParameters(query, Buffer.from(body));

describe('query and body', () => {
  test('are one, the body first', () => expect(merged({ a: '1', b: '2' }, '{"b":3}')).toEqual({ a: '1', b: 3 }));
  test('null is not given, wherever it stands', () => {
    expect(merged({ a: '1' }, '{"a":null,"config":{"mounts":null,"environ":{"X":null,"Y":"1"}}}')).toEqual({
      a: '1',
      config: { environ: { Y: '1' } },
    });
  });
  test.each(['', '  \n', 'null', '{}'])('a body of nothing (%j) is none', (body) => expect(merged({ a: '1' }, body)).toEqual({ a: '1' }));
  test.each(['{', '[1]', '"x"', '3', 'a=b'])('a body that is no object is refused: %s', (body) =>
    expect(() => merged({}, body)).toThrow(expect.objectContaining({ kind: 'invalid-api-params', title: 'Malformed body' })),
  );
  test('no body brings it down, however deep', () => {
    expect(merged({}, `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`)).toHaveProperty('a');
    fc.assert(fc.property(fc.json(), (text) => merged({}, `{"x":${text}}`) !== undefined));
  });
  test('no key reaches a prototype', () => {
    const parameters = canonical(merged({}, '{"__proto__":{"admin":true},"constructor":1}'), { name: ['toString'] });
    expect([Reflect.get({}, 'admin'), Reflect.get(parameters, 'admin'), Object.hasOwn(parameters, 'name')]).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });
});

const minimal = { image: 'debian', name: 'mine' };

describe('create', () => {
  test('every spelling that clients use is understood', () => {
    const camel = {
      image: 'debian',
      clientSessionToken: 'mine',
      sessionType: 'batch',
      startupCommand: 'true',
      startsAt: '5m',
      enqueueOnly: true,
      clusterSize: 1,
    };
    const snake = {
      lang: 'debian',
      session_name: 'mine',
      type: 'batch',
      startup_command: 'true',
      starts_at: '5m',
      enqueue_only: 'true',
      cluster_size: '1',
    };
    expect(readCreateParameters(snake)).toEqual(readCreateParameters(camel));
  });
  test('what nobody knows here is ignored, at the root and in the configuration', () => {
    const newer = { ...minimal, priority: 10, attach_network: 'x', config: { mount_ids: ['a'], resource_opts: { allow: true } } };
    expect(readCreateParameters(newer)).toEqual(readCreateParameters(minimal));
  });
  test('the size of a cluster is taken from its old place, too, but the new one first', () => {
    expect(readCreateParameters({ ...minimal, config: { clusterSize: '3' } }).clusterSize).toBe(3);
    expect(readCreateParameters({ ...minimal, clusterSize: 2, config: { clusterSize: 3 } }).clusterSize).toBe(2);
  });
  test('a lone dependency is a list of one', () =>
    expect(readCreateParameters({ ...minimal, dependencies: 'first' }).dependencies).toEqual(['first']));
  test.each(['abcd', 'A_b.c-9', '1234', 'x'.repeat(64)])('%s is a name', (name) =>
    expect(readCreateParameters({ image: 'a', name }).clientSessionToken).toBe(name),
  );
  test.each(['abc', 'x'.repeat(65), '-abcd', 'abcd.', 'ab cd', 'abcdé', 'abcd\n', 'create', 'from-template'])('%j is none', (name) =>
    expect(() => readCreateParameters({ image: 'a', name })).toThrow(
      expect.objectContaining({ code: 'invalid-field', field: 'clientSessionToken' }),
    ),
  );
  test.each([
    ['image', {}],
    ['sessionType', { type: 'inference' }],
    ['maxWaitSeconds', { maxWaitSeconds: -1 }],
    ['maxWaitSeconds', { maxWaitSeconds: 'soon' }],
    ['enqueueOnly', { enqueueOnly: 'maybe' }],
    ['clusterSize', { clusterSize: 0 }],
    ['tag', { tag: 'x'.repeat(65) }],
    ['bootstrapScript', { bootstrap_script: 'x'.repeat(16_385) }],
    ['config.preopenPorts.0', { config: { preopen_ports: [80] } }],
  ])('%s is checked', (field, more) => {
    const asked = field === 'image' ? { name: 'mine' } : { ...minimal, ...more };
    expect(() => readCreateParameters(asked)).toThrow(expect.objectContaining({ code: 'invalid-field', field }));
  });
});
