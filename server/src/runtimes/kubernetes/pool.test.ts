import { describe, expect, it } from 'vitest';
import type { NodePool } from './options.ts';
import { placementOf } from './pool.ts';

const plain: NodePool = { name: 'plain', nodeSelector: { kind: 'plain' }, tolerations: [] };
const toleration = { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' };
const gpu: NodePool = { name: 'gpu', nodeSelector: { kind: 'gpu' }, tolerations: [toleration], priorityClass: 'high', gpus: true };
const pools = [plain, gpu];
const wish = (node: string, gpus = 0) => ({ node, limits: { gpus } });

describe('the pool that serves a session', () => {
  it('is the first where nothing else is asked for', () => {
    expect(placementOf(wish(''), pools)).toMatchObject({ nodeSelector: { kind: 'plain' } });
  });

  it('is the one with GPUs for a session that needs some', () => {
    const placement = placementOf(wish('', 2), pools);
    expect(placement).toMatchObject({ nodeSelector: { kind: 'gpu' }, priorityClassName: 'high' });
    expect(placement.tolerations).toContainEqual(toleration);
  });

  it('is the one that was named, whatever the session needs', () => {
    expect(placementOf(wish('plain', 2), pools)).toMatchObject({ nodeSelector: { kind: 'plain' } });
  });

  it('gives way to a single node that was named', () => {
    expect(placementOf(wish('n7'), pools).nodeSelector).toEqual({ 'kubernetes.io/hostname': 'n7' });
  });

  it('holds machines of the architecture that was asked for, by the name that the cluster has for it', () => {
    const arm = { ...wish(''), architecture: 'aarch64' };
    expect(placementOf(arm, pools).nodeSelector).toEqual({ kind: 'plain', 'kubernetes.io/arch': 'arm64' });
    expect(placementOf(arm, []).nodeSelector).toEqual({ 'kubernetes.io/arch': 'arm64' });
    expect(placementOf({ ...wish('n7'), architecture: 'riscv64' }, pools).nodeSelector).toEqual({
      'kubernetes.io/hostname': 'n7',
      'kubernetes.io/arch': 'riscv64',
    });
  });

  it('is the whole cluster where no pool is configured', () => {
    expect(placementOf(wish('', 1), [])).not.toHaveProperty('nodeSelector');
  });
});

it('lets no silence of a node end a session', () => {
  for (const { effect, tolerationSeconds } of placementOf(wish(''), []).tolerations ?? []) {
    expect(effect).toBe('NoExecute');
    expect(tolerationSeconds).toBeUndefined();
  }
  expect(placementOf(wish(''), []).tolerations?.map(({ key }) => key)).toEqual([
    'node.kubernetes.io/not-ready',
    'node.kubernetes.io/unreachable',
  ]);
});
