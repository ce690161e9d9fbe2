import { expect, test } from 'vitest';
import { containerEnvironment } from './container-environment.ts';
import { containerId } from './container-id.ts';
import { EXAMPLE_SPEC, exampleSession } from './example-session.ts';

const cluster = { size: 4, mode: 'multi-node' } as const;
const ID = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';

test('each container knows itself, and all know each other', () => {
  const session = exampleSession({ id: ID, name: 'train', spec: { ...EXAMPLE_SPEC, cluster } });
  const shared = {
    BERTH_SESSION_ID: ID,
    BERTH_SESSION_NAME: 'train',
    BERTH_IMAGE: 'berth/base:latest',
    BERTH_CLUSTER_SIZE: '4',
    BERTH_CLUSTER_REPLICAS: 'main:1,sub:3',
    BERTH_CLUSTER_HOSTS: 'main1,sub1,sub2,sub3',
  };
  const own = (host: string, role: string, [index, rank]: [string, string]) => ({
    ...shared,
    BERTH_CONTAINER_ID: containerId(ID, host),
    BERTH_CLUSTER_HOST: host,
    BERTH_CLUSTER_ROLE: role,
    BERTH_CLUSTER_INDEX: index,
    BERTH_CLUSTER_RANK: rank,
  });
  expect(containerEnvironment(session, 'main1')).toEqual(own('main1', 'main', ['1', '0']));
  expect(containerEnvironment(session, 'sub1')).toEqual(own('sub1', 'sub', ['1', '1']));
  expect(containerEnvironment(session, 'sub3')).toEqual(own('sub3', 'sub', ['3', '3']));
});

test('a single container is a cluster of one', () => {
  expect(containerEnvironment(exampleSession(), 'main1')).toMatchObject({
    BERTH_CLUSTER_SIZE: '1',
    BERTH_CLUSTER_REPLICAS: 'main:1',
    BERTH_CLUSTER_HOSTS: 'main1',
  });
});

test("the server's values win over those that were asked for, and templates are filled in", () => {
  const env = { KEEP: 'mine', OTHER_RANK: 'mine', BERTH_IMAGE: 'mine' };
  const serverEnv = { OTHER_RANK: '$BERTH_CLUSTER_RANK', OTHER_KEY: 'AKIA', BOTH: '$BERTH_CLUSTER_ROLE/$BERTH_NOTHING' };
  const session = exampleSession({ spec: { ...EXAMPLE_SPEC, env, serverEnv, cluster } });
  expect(containerEnvironment(session, 'sub2')).toMatchObject({
    KEEP: 'mine',
    OTHER_RANK: '2',
    OTHER_KEY: 'AKIA',
    BOTH: 'sub/$BERTH_NOTHING',
    BERTH_IMAGE: 'berth/base:latest',
  });
});

test("a container's id is the session's, or derived from it as RFC 9562 says", () => {
  expect(containerId(ID, 'main1')).toBe(ID);
  // The example of the RFC's forerunners: a name in the name space of DNS.
  expect(containerId(ID, 'python.org')).toBe('886313e1-3b8a-5372-9b90-0c9aee199e5d');
});
