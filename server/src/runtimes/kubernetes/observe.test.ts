import { describe, expect, it } from 'vitest';
import { at, failed, finishedAt, now, OPENED, ref, see, startedAt, terminated, UNGATED, waiting, type Sketch } from './example-pod.ts';
import { observe } from './observe.ts';

it('no pod is no container', () => {
  expect(observe(ref, undefined, { now })).toEqual({ ref, phase: 'absent' });
});

describe('a container that runs', () => {
  const running = { state: { running: { startedAt } }, status: { phase: 'Running' } };
  const deadline = {
    phase: 'Failed',
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  };
  const stoppedAt = (time: string) => ({ ...OPENED, 'berth.stopped-at': at(time).toISOString() });

  it.each<[string, Sketch]>([
    ['its gate was opened', { ...running, annotations: OPENED }],
    ['its gate was opened, and its kubelet has not yet looked', { state: waiting('ContainerCreating'), annotations: OPENED }],
    ['it has no gate', { ...running, annotations: UNGATED }],
    ['it is being deleted', { ...running, annotations: OPENED, deletion: { at: at('10:23:05'), graceSeconds: 5 } }],
    ['it was told to end and has some grace left', { ...running, annotations: stoppedAt('10:22:52'), status: deadline }],
  ])('%s', (_, sketch) => {
    expect(see(sketch)).toEqual({ phase: 'running', startedAt });
  });

  it('is at its bootstrap script until its startup probe has succeeded', () => {
    const container = { startupProbe: { periodSeconds: 1 } };
    expect(see({ ...running, annotations: OPENED, container })).toEqual({ phase: 'running', startedAt, bootstrapping: true });
    expect(see({ ...running, annotations: OPENED, container, started: true })).toEqual({ phase: 'running', startedAt });
  });

  it('is over once its grace is, though old kubelets never say so', () => {
    expect(see({ ...running, annotations: stoppedAt('10:22:44'), status: deadline })).toEqual({ phase: 'exited', startedAt });
  });

  it('on a node that has fallen silent', () => {
    const conditions = [
      { type: 'Ready', status: 'Unknown', lastTransitionTime: at('10:23:49'), message: 'Kubelet stopped posting node status.' },
    ];
    const nodes = [{ metadata: { name: 'n1' }, status: { conditions } }];
    const silent = { since: at('10:23:49'), message: 'its node n1 has not answered since 2026-11-20T10:23:49.000Z' };
    expect(see({ ...running, annotations: OPENED }, { nodes })).toEqual({ phase: 'running', startedAt, silent });
    expect(see({ state: terminated(3, 'Error'), status: failed }, { nodes }), 'an end stays an end').not.toHaveProperty('silent');
  });

  it('on a node whose kubelet answers that it is not ready', () => {
    const nodes = [
      { metadata: { name: 'n1' }, status: { conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: at('10:23:49') }] } },
    ];
    expect(see({ ...running, annotations: OPENED }, { nodes })).toEqual({ phase: 'running', startedAt });
  });

  it('on a node that was taken out of the cluster', () => {
    const conditions = [{ type: 'Ready', status: 'False', lastTransitionTime: at('10:22:59') }];
    const seen = see(
      { ...running, annotations: OPENED, status: { phase: 'Running', conditions } },
      { nodes: [{ metadata: { name: 'n2' } }] },
    );
    expect(seen).toEqual({
      phase: 'running',
      startedAt,
      silent: { since: at('10:22:59'), message: 'its node n1 is no longer part of the cluster' },
    });
  });
});

describe('a container that ended', () => {
  const ended = { phase: 'exited', startedAt, finishedAt };

  it.each<[string, Sketch, object]>([
    ['by itself', { state: terminated(3, 'Error'), status: failed }, { ...ended, exitCode: 3 }],
    ['well', { state: terminated(0, 'Completed'), status: { phase: 'Succeeded' } }, { ...ended, exitCode: 0 }],
    [
      'though the memory of a child did not suffice',
      { state: terminated(0, 'OOMKilled'), status: { phase: 'Succeeded' } },
      { ...ended, exitCode: 0 },
    ],
    [
      'by a deadline that is a stop of ours',
      { state: terminated(143, 'Error'), status: { phase: 'Failed', reason: 'DeadlineExceeded' } },
      { ...ended, exitCode: 143 },
    ],
    [
      'by a stop before its image had come',
      { state: waiting('ImagePullBackOff'), status: { phase: 'Failed', reason: 'DeadlineExceeded' } },
      { phase: 'exited' },
    ],
    [
      'before it was deleted',
      { state: terminated(0, 'Completed'), status: { phase: 'Succeeded' }, deletion: { at: at('10:23:00'), graceSeconds: 30 } },
      { ...ended, exitCode: 0 },
    ],
    [
      'when its machine went down',
      {
        state: terminated(143, 'Error'),
        status: { phase: 'Failed', reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' },
      },
      { ...ended, interrupted: true },
    ],
    [
      'when its machine went down during its bootstrap script',
      { state: terminated(143, 'Error', 'bootstrap\n'), status: { phase: 'Failed', reason: 'Terminated' } },
      { ...ended, interrupted: true },
    ],
    [
      'when its machine lost it',
      { annotations: OPENED, state: terminated(255, 'Unknown'), status: failed },
      { ...ended, interrupted: true },
    ],
  ])('%s', (_, sketch, expected) => {
    expect(see(sketch)).toEqual(expected);
  });

  it('keeps the time at which it was let run', () => {
    const annotations = { 'berth.started-at': at('10:22:21').toISOString() };
    expect(see({ annotations, state: terminated(0, 'Completed'), status: { phase: 'Succeeded' } }).startedAt).toEqual(at('10:22:21'));
  });

  it.each<[string, Sketch, object, { code: string; message: string; remedy: string }]>([
    [
      'for want of memory',
      {
        container: { resources: { limits: { memory: '64Mi' }, requests: { memory: '64Mi' } } },
        state: terminated(137, 'OOMKilled'),
        status: failed,
      },
      { ...ended, exitCode: 137 },
      {
        code: 'out-of-memory',
        message: 'out of memory: it needed more than its limit of 64MiB and was killed',
        remedy: 'Ask for more with --memory.',
      },
    ],
    [
      'for want of memory that it had not reserved',
      {
        container: { resources: { limits: { memory: '1Gi' }, requests: { memory: '16Mi' } } },
        state: terminated(137, 'OOMKilled'),
        status: failed,
      },
      { ...ended, exitCode: 137 },
      {
        code: 'out-of-memory',
        message: 'out of memory: it needed more than its limit of 1GiB and was killed',
        remedy: 'No memory was reserved for it: reserve what it needs with --memory.',
      },
    ],
    [
      'at its gate, which knows no such command',
      { state: terminated(127, 'Error', '127 nothere\n'), status: failed },
      { ...ended, exitCode: 127 },
      {
        code: 'command-not-found',
        message: 'the command "nothere" is not in the image',
        remedy: 'Check its spelling, or choose an image that has it.',
      },
    ],
    [
      'in its bootstrap script',
      { annotations: OPENED, state: terminated(3, 'Error', 'bootstrap\n'), status: failed },
      { ...ended, exitCode: 3 },
      {
        code: 'bootstrap-failed',
        message: 'its bootstrap script failed with exit code 3, so its command was not run',
        remedy: 'Its last lines, in "berth session show" and "berth session logs", say more; correct it and create the session again.',
      },
    ],
    [
      'by eviction, which leaves no trace of the container',
      {
        annotations: OPENED,
        status: {
          phase: 'Failed',
          reason: 'Evicted',
          message: 'Pod ephemeral local storage usage exceeds the total limit of containers 20Mi. ',
        },
      },
      { phase: 'exited', startedAt },
      {
        code: 'evicted',
        message: 'n1 put it out: Pod ephemeral local storage usage exceeds the total limit of containers 20Mi',
        remedy: 'Write less outside the home folder and storages; then create the session again.',
      },
    ],
    [
      "by its node's want of memory",
      {
        status: {
          phase: 'Failed',
          reason: 'Evicted',
          message: 'The node was low on resource: memory. Container main was using 5Gi, which exceeds its request of 16Mi. ',
        },
      },
      { phase: 'exited' },
      {
        code: 'evicted',
        message: 'n1 put it out: The node was low on resource: memory. Container main was using 5Gi, which exceeds its request of 16Mi',
        remedy: 'Reserve memory with --memory: sessions that use more than they reserved are the first to go.',
      },
    ],
    [
      'by somebody who deleted its pod',
      { state: terminated(143, 'Error'), status: failed, deletion: { at: at('10:22:27'), graceSeconds: 5 } },
      { ...ended, exitCode: 143 },
      {
        code: 'container-lost',
        message: 'its container was ended: somebody outside Berth deleted its pod',
        remedy: 'files in the home folder are kept; create the session again',
      },
    ],
    [
      'with the machine that was taken out of the cluster',
      {
        state: { running: { startedAt } },
        status: {
          phase: 'Failed',
          conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' }],
        },
      },
      { phase: 'exited' },
      {
        code: 'node-lost',
        message: 'node lost: n1 is no longer part of the cluster',
        remedy: 'create the session again: files in the home folder are kept where storages outlive a node',
      },
    ],
  ])('%s', (_, sketch, expected, cause) => {
    expect(see(sketch)).toEqual({ ...expected, cause });
  });
});
