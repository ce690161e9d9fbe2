import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { imageLimits, unfitFor, withImageMinimum, type Asked } from './image-limits.ts';

const MIB = 1024 ** 2;
const NOTHING: Asked = { cpu: null, memoryBytes: null, gpu: 0, sharedMemoryBytes: null };
const THEIRS = imageLimits({
  'ai.backend.resource.min.cpu': '1',
  'ai.backend.resource.min.mem': '512m',
  'ai.backend.resource.max.cpu': '4',
  'ai.backend.resource.max.mem': '2g',
  'ai.backend.resource.max.cuda.device': '1',
});

describe('the least an image needs', () => {
  test.each<[string, Partial<Asked>, object]>([
    ['nothing', {}, { cpu: 1, memoryBytes: 512 * MIB }],
    ['shared memory', { sharedMemoryBytes: 64 * MIB }, { cpu: 1, memoryBytes: 576 * MIB }],
    ['CPUs', { cpu: 2 }, { cpu: 2, memoryBytes: 512 * MIB }],
    ['memory', { memoryBytes: MIB }, { cpu: 1, memoryBytes: MIB }],
  ])('is what who asks for %s gets', (_, asked, expected) =>
    expect(withImageMinimum({ ...NOTHING, ...asked }, THEIRS)).toMatchObject(expected),
  );

  test('is nothing where its labels say nothing, or nothing that can be read', () => {
    for (const labels of [{}, { 'ai.backend.resource.min.mem': 'much' }, { 'ai.backend.resource.min.cpu': '0' }])
      expect(withImageMinimum(NOTHING, imageLimits(labels))).toEqual(NOTHING);
  });

  test('is told by labels of our own, in our own words, which come first', () => {
    const labels = { 'berth.resources.min.memory': '512m', 'berth.resources.min.cpu': '500m', 'ai.backend.resource.min.cpu': '8' };
    expect(withImageMinimum(NOTHING, imageLimits(labels))).toMatchObject({ cpu: 0.5, memoryBytes: 512_000_000 });
  });

  test('is never less than its label says, to the thousandth of a CPU and the byte', () => {
    const cpus = fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 0, max: 99_999 }));
    fc.assert(
      fc.property(cpus, fc.integer({ min: 1, max: 4096 }), ([whole, fraction], mebibytes) => {
        const limits = imageLimits({
          'ai.backend.resource.min.cpu': `${whole}.${String(fraction).padStart(5, '0')}`,
          'ai.backend.resource.min.mem': `${mebibytes}m`,
        });
        return unfitFor(withImageMinimum(NOTHING, limits), limits) === undefined;
      }),
    );
  });
});

describe('what is asked for', () => {
  test.each<[string, Partial<Asked>, string]>([
    ['too few CPUs', { cpu: 0.999 }, 'the image needs at least 1 CPU (its label ai.backend.resource.min.cpu is "1"): 0.999 CPUs asked for'],
    [
      'too little memory',
      { memoryBytes: 512 * MIB - 1 },
      'the image needs at least 512MiB of memory (its label ai.backend.resource.min.mem is "512m"): 512MiB of memory asked for',
    ],
    [
      'too much memory',
      { memoryBytes: 4096 * MIB },
      'the image takes at most 2GiB of memory (its label ai.backend.resource.max.mem is "2g"): 4GiB of memory asked for',
    ],
    ['too many GPUs', { gpu: 2 }, 'the image takes at most 1 GPU (its label ai.backend.resource.max.cuda.device is "1"): 2 GPUs asked for'],
  ])('%s', (_, asked, message) =>
    expect(unfitFor({ ...NOTHING, ...asked }, THEIRS)?.cause).toMatchObject({ code: 'resources-unfit', message }),
  );

  test.each<[string, Partial<Asked>]>([
    ['nothing', {}],
    ['just enough', { cpu: 1, memoryBytes: 512 * MIB }],
    ['all there may be', { cpu: 4, memoryBytes: 2048 * MIB, gpu: 1 }],
  ])('may be %s', (_, asked) => expect(unfitFor({ ...NOTHING, ...asked }, THEIRS)).toBeUndefined());

  test('nothing, where what it may use then is too little', () => {
    expect(unfitFor(NOTHING, THEIRS, { cpus: 2, memoryBytes: 256 * MIB })).toMatchObject({
      slot: 'memory',
      cause: { message: expect.stringContaining('without a reservation it may use at most 256MiB of memory here') as string },
    });
    expect(unfitFor(NOTHING, THEIRS, { cpus: 64, memoryBytes: 2 ** 40 })).toBeUndefined();
  });

  test('a GPU, where the image needs one and none was asked for', () => {
    expect(unfitFor(NOTHING, imageLimits({ 'berth.resources.min.gpu': '1' }))?.slot).toBe('gpu');
  });
});
