import type { CoreV1Event, V1ContainerState } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import type { Waiting } from '../runtime.ts';
import { event, failed, now, pod, ref, see, startedAt, startError, UNGATED, waiting, type Sketch } from './example-pod.ts';
import { observe } from './observe.ts';

describe('a container on its way', () => {
  const UNREACHABLE =
    'Failed to pull image "registry.invalid/team/image:1": rpc error: code = Unknown desc = failed to pull and unpack image "registry.invalid/team/image:1": failed to resolve reference "registry.invalid/team/image:1": failed to do request: Head "https://registry.invalid/v2/team/image/manifests/1": dial tcp: lookup registry.invalid on 192.0.2.53:53: no such host';
  const scheduled = event('Scheduled', 'Successfully assigned berth/berth-s-g1-main1 to n1', '10:22:17', 'Normal');

  it.each<[string, Sketch, CoreV1Event[], Waiting]>([
    ['nothing is known yet', {}, [], { for: 'container', message: 'its container is being made' }],
    ['it was placed', { state: waiting('ContainerCreating') }, [scheduled], { for: 'container', message: 'its container is being made' }],
    [
      'its image is being pulled',
      { state: waiting('ContainerCreating') },
      [event('Pulling', 'Pulling image "team/image:1"', '10:22:48', 'Normal'), scheduled],
      { for: 'image', message: 'pulling the image (10s)' },
    ],
    [
      'its image has just begun to be pulled',
      { state: waiting('ContainerCreating') },
      [event('Pulling', 'Pulling image "team/image:1"', '10:22:58', 'Normal')],
      { for: 'image', message: 'pulling the image' },
    ],
    [
      'its image has come',
      { state: waiting('ContainerCreating') },
      [event('Pulling', 'Pulling image', '10:22:48', 'Normal'), event('Pulled', 'Successfully pulled image', '10:22:50', 'Normal')],
      { for: 'container', message: 'its container is being made' },
    ],
    [
      'its storage cannot be mounted',
      { state: waiting('ContainerCreating') },
      [
        event('FailedMount', 'MountVolume.SetUp failed for volume "c" : hostPath type check failed: /x is not a directory', '10:22:33'),
        scheduled,
      ],
      {
        for: 'container',
        message:
          'its storage is not mounted yet: MountVolume.SetUp failed for volume "c" : hostPath type check failed: /x is not a directory',
      },
    ],
    [
      'its Secret is not there yet',
      { state: waiting('CreateContainerConfigError', 'secret "berth-s-g1" not found') },
      [event('Failed', 'Error: secret "berth-s-g1" not found', '10:22:45')],
      { for: 'container', message: 'the container cannot be started yet: secret "berth-s-g1" not found; it is tried again' },
    ],
    [
      'its node is overburdened',
      { state: waiting('CreateContainerError', 'context deadline exceeded') },
      [event('Failed', 'Error: context deadline exceeded', '10:20:00')],
      { for: 'container', message: 'the container cannot be started yet: context deadline exceeded; it is tried again' },
    ],
  ])('%s', (_, sketch, events, expected) => {
    expect(see(sketch, { events })).toEqual({ phase: 'created', waiting: expected });
  });

  it.each<[string, V1ContainerState, string]>([
    [
      'right after a try',
      waiting('ErrImagePull', UNREACHABLE.replace(/^.*?: rpc/, 'rpc')),
      'lookup registry.invalid on 192.0.2.53:53: no such host',
    ],
    ['between two tries', waiting('ImagePullBackOff', 'Back-off pulling image "registry.invalid/team/image:1"'), 'no such host'],
  ])('whose registry does not answer, %s', (_, state, why) => {
    const events = [event('BackOff', 'Back-off pulling image', '10:22:59', 'Normal'), event('Failed', UNREACHABLE, '10:22:32')];
    const seen = see({ image: 'registry.invalid/team/image:1', state }, { events });
    expect(seen).toMatchObject({ phase: 'created', waiting: { for: 'image' }, cause: { code: 'image-unreachable' } });
    expect(seen.waiting).toMatchObject({
      message: expect.stringMatching(/^"registry\.invalid\/team\/image:1" could not be fetched: Head "https:.*; it is tried again$/),
    });
    expect(seen.cause?.message).toContain(why);
  });

  it('at its closed gate', () => {
    expect(see({ state: { running: { startedAt } }, status: { phase: 'Running' } })).toEqual({ phase: 'created' });
  });

  it.each([
    ['that of its process', 'spec.containers{main}', { phase: 'created' }],
    ['not that of another', 'spec.containers{proxy}', { phase: 'created', waiting: { for: 'container' } }],
  ])('at its gate as soon as a container was started: %s', (_, fieldPath, expected) => {
    const started = event('Started', 'Started container', '10:22:59', 'Normal');
    started.involvedObject = { fieldPath };
    const seen = see({ state: waiting('ContainerCreating') }, { events: [started] });
    expect(seen).toMatchObject(expected);
    expect('waiting' in seen).toBe('waiting' in expected);
  });

  it('has no node before it is placed', () => {
    const unplaced = pod({
      status: { conditions: [{ type: 'PodScheduled', status: 'False', message: '0/2 nodes are available: 2 Insufficient cpu.' }] },
    });
    delete unplaced.spec?.nodeName;
    expect(observe(ref, unplaced, { now })).toEqual({
      ref,
      phase: 'created',
      waiting: { for: 'room', reasons: [{ node: '2 nodes', reason: 'too few CPUs are free' }] },
    });
  });
});

describe('a container that can never start', () => {
  it.each<[string, Sketch, CoreV1Event[], { code: string; message: string }]>([
    [
      'its image is not there, and may not be pulled',
      {
        image: 'team/none:1',
        state: waiting('ErrImageNeverPull', 'Container image "team/none:1" is not present with pull policy of Never'),
      },
      [],
      { code: 'image-not-found', message: 'there is no image "team/none:1": it is not on this node, and pulling was ruled out' },
    ],
    [
      'its registry has no such image',
      {
        image: 'team/none:1',
        state: waiting(
          'ErrImagePull',
          'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/team/none:1": failed to resolve reference "registry.example/team/none:1": registry.example/team/none:1: not found',
        ),
      },
      [],
      { code: 'image-not-found', message: 'there is no image "team/none:1": registry.example/team/none:1: not found' },
    ],
    [
      'its registry knows no such user',
      {
        image: 'team/own:1',
        state: waiting(
          'ErrImagePull',
          'rpc error: code = Unknown desc = failed to pull and unpack image "registry.example/team/own:1": failed to resolve reference "registry.example/team/own:1": pull access denied, repository does not exist or may require authorization',
        ),
      },
      [],
      {
        code: 'image-denied',
        message: 'the registry does not hand out "team/own:1": pull access denied, repository does not exist or may require authorization',
      },
    ],
    [
      'its image has no name',
      {
        image: 'Bad:Name:x',
        state: waiting(
          'InvalidImageName',
          'Failed to apply default image tag "Bad:Name:x": couldn\'t parse image reference "Bad:Name:x": invalid reference format: repository name must be lowercase',
        ),
      },
      [],
      {
        code: 'image-invalid',
        message: '"Bad:Name:x" is not an image this engine can run: invalid reference format: repository name must be lowercase',
      },
    ],
    [
      'its Secret lacks a key',
      { state: waiting('CreateContainerConfigError', "couldn't find key missing in Secret berth/s1") },
      [event('Failed', "Error: couldn't find key missing in Secret berth/s1", '10:22:18')],
      { code: 'start-failed', message: "the container could not be started: couldn't find key missing in Secret berth/s1" },
    ],
    [
      'its image has no shell',
      {
        container: { command: ['/bin/sh', '-c', 'gate', 'sh'], args: ['train'] },
        state: startError('exec: "/bin/sh": stat /bin/sh: no such file or directory'),
        status: failed,
      },
      [],
      { code: 'no-shell', message: 'the image has no shell (/bin/sh)' },
    ],
    [
      'its program is missing',
      {
        annotations: UNGATED,
        container: { command: ['nothere', 'x'] },
        state: startError('exec: "nothere": executable file not found in $PATH'),
        status: failed,
      },
      [],
      { code: 'command-not-found', message: 'the command "nothere" is not in the image' },
    ],
    [
      'its program is no program',
      {
        annotations: UNGATED,
        container: { command: ['/etc/passwd'] },
        state: startError('exec: "/etc/passwd": permission denied'),
        status: failed,
      },
      [],
      { code: 'not-executable', message: '"/etc/passwd" is there but cannot be executed' },
    ],
    [
      'its image is made for another machine',
      { container: { command: ['/bin/sh'], args: ['train'] }, state: startError('exec /bin/sh: exec format error'), status: failed },
      [],
      { code: 'wrong-platform', message: '"berth/base:latest" is not made for this kind of machine: exec /bin/sh: exec format error' },
    ],
    [
      'its work folder is a file',
      {
        container: { command: ['/bin/sh'], args: ['train'] },
        state: startError('error during container init: mkdir /etc/passwd: not a directory'),
        status: failed,
      },
      [],
      {
        code: 'start-failed',
        message: 'the container could not be started: error during container init: mkdir /etc/passwd: not a directory',
      },
    ],
    [
      'its node had less than the scheduler thought',
      {
        status: {
          phase: 'Failed',
          reason: 'OutOfcpu',
          message: "Pod Node didn't have enough resource: cpu, requested: 2000, used: 150, capacity: 2000",
        },
      },
      [],
      {
        code: 'unschedulable',
        message: "n1 had no room for it after all: Pod Node didn't have enough resource: cpu, requested: 2000, used: 150, capacity: 2000",
      },
    ],
    [
      'its node refused it',
      { status: { phase: 'Failed', reason: 'UnexpectedAdmissionError', message: 'Allocate failed due to no devices' } },
      [],
      { code: 'start-failed', message: 'the container could not be started: Allocate failed due to no devices' },
    ],
  ])('%s', (_, sketch, events, cause) => {
    expect(see(sketch, { events })).toEqual({ phase: 'exited', cause: { ...cause, remedy: expect.stringMatching(/\.$/) } });
  });
});
