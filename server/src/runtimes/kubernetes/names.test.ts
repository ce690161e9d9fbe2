import { describe, expect, it } from 'vitest';
import { hostNameOf, labelsOf, labelValue, podName, refOfPod, secretName, serviceName } from './names.ts';
import { refOf } from '../container-labels.ts';

const ref = { sessionId: '5c6f3a52-3c56-4a3e-8b39-2f6e9d0a1b2c', generation: 3, container: 'main1' };

describe('labels', () => {
  it('finds a container again by what was written on its pod', () => {
    expect(refOf(labelsOf({ ref, owner: 'ada', project: 'p' }, 'here'), 'here')).toEqual(ref);
  });

  it.each([
    ['another installation', { ...labelsOf({ ref, owner: 'ada', project: 'p' }, 'there') }],
    ['nobody', {}],
    ['no labels', undefined],
    ['a generation that is no number', { ...labelsOf({ ref, owner: 'ada', project: 'p' }, 'here'), 'berth.generation': 'x' }],
  ])('leaves alone what carries %s', (_, labels) => {
    expect(refOf(labels, 'here')).toBeUndefined();
  });

  it.each([
    ['Ada Lovelace', 'Ada-Lovelace'],
    ['  Größe (1) ', 'Gr-e-1'],
    ['ada@example.org', 'ada-example.org'],
    ['_.-', ''],
    ['', ''],
    [`${'x'.repeat(62)}--y`, 'x'.repeat(62)],
  ])('makes a legal value of %j', (text, value) => {
    expect(labelValue(text)).toBe(value);
    expect(value).toMatch(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/);
    expect(value.length).toBeLessThanOrEqual(63);
  });
});

describe('names', () => {
  it('tells generations and containers apart, in names that the cluster allows', () => {
    expect(podName(ref)).toBe('berth-5c6f3a52-3c56-4a3e-8b39-2f6e9d0a1b2c-g3-main1');
    expect(secretName(ref)).toBe(podName(ref));
    expect(serviceName(ref)).toBe('berth-5c6f3a52-3c56-4a3e-8b39-2f6e9d0a1b2c-g3');
    expect(serviceName(ref).length).toBeLessThanOrEqual(63);
  });

  it.each([
    ['one of ours', podName(ref), ref],
    ["somebody else's", 'berth-database-g1-0', undefined],
  ])('are read back: %s', (_, name, found) => {
    expect(refOfPod(name)).toEqual(found);
  });

  it.each([
    ['Train.7', 'train-7'],
    ['-a-', 'a'],
    ['...', 'session'],
    ['n'.repeat(70), 'n'.repeat(63)],
  ])('makes a host name of %j', (text, name) => {
    expect(hostNameOf(text)).toBe(name);
  });
});
