import { arch } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '@berth/contract';
import { normalArchitecture } from '../../src/domain/images/architecture.ts';
import { BerthProcess } from '../support/berth-process.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

const HERE = normalArchitecture(arch());
const ELSEWHERE = HERE === 'aarch64' ? 'amd64' : 'arm64';

describe.each(PLATFORMS)('the architecture of a session on $name', ({ on, image }) => {
  let server: BerthProcess;
  let client: Client;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: image } });
    client = await server.client();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
  });

  test('is that of a node, by any of its names', async () => {
    const { items } = await client.listNodes({ query: {} });
    expect(new Set(items.map(({ architecture }) => architecture))).toEqual(new Set([HERE]));
    const { id } = await client.createSession({ body: { image, pull: 'never', command: ['uname', '-m'], architecture: arch() } });
    expect(await until(client, id, 'ended', hasEnded)).toMatchObject({ state: 'terminated', architecture: HERE, lastLog: [HERE] });
  });

  test('is waited for where no node has it, and each node says what it is', async () => {
    const nodes = (await client.listNodes({ query: {} })).items.map(({ name }) => name);
    const { id } = await client.createSession({ body: { image, pull: 'never', command: ['true'], architecture: ELSEWHERE } });
    const { waiting, state } = await until(client, id, 'waiting', (session) => (session.waiting?.reasons.length ?? 0) > 0);
    expect(state).toBe('pending');
    expect(waiting?.reasons.map(({ reason }) => reason).toSorted()).toEqual(
      nodes.map((node) => `${node} is ${HERE}, ${normalArchitecture(ELSEWHERE)} was asked for`).toSorted(),
    );
    await client.terminateSession({ params: { session: id }, body: {} });
    expect(await until(client, id, 'ended', hasEnded)).toMatchObject({ state: 'cancelled' });
  });
});
