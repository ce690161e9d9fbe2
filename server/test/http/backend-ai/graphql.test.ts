import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BackendAiClient, Answered } from './signing-client.ts';
import { ending, Stage, TYPE } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open({ sessionsPerUser: 7 });
});
afterAll(() => stage.close());

const ask = (client: BackendAiClient, query: string, variables: object = {}, path = '/admin/graphql'): Promise<Answered> =>
  client.send('POST', path, { body: { query, variables } });
type Item = Record<string, unknown>;
interface Listed {
  items: Item[];
  total_count: number;
}
async function list(client: BackendAiClient, args: string, fields = 'id status'): Promise<Listed> {
  const answer = await ask(client, `{ compute_session_list(${args}) { items { ${fields} } total_count } }`);
  expect(answer).toMatchObject({ status: 200 });
  return answer.body['compute_session_list'] as Listed;
}

const ITEM = `id session_id name tag type image architecture registry cluster_mode cluster_size domain_name group_name group_id
  user_email user_id access_key status status_info status_data status_changed created_at terminated_at starts_at startup_command result
  resource_opts scaling_group service_ports mounts occupied_slots num_queries
  containers { id session_id role agent image status status_info status_changed occupied_slots live_stat last_stat container_id }
  dependencies { name id } idle_checks`;

describe('sessions', () => {
  test('of one every field that clients ask for, its JSON as text', async () => {
    const first = await stage.made({ type: 'batch', startupCommand: 'true' });
    const { id, name } = await stage.made({
      type: 'batch',
      startupCommand: 'echo "hello"',
      tag: 'mine',
      dependencies: [first.id],
      config: { resources: { cpu: '2', mem: '1g' }, resource_opts: { shmem: '32m' } },
    });
    await stage.become(id, { state: 'running' });
    const answer = await ask(stage.py, `query($id: UUID!) { compute_session(id: $id) { ${ITEM} } }`, { id });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        compute_session: {
          id,
          session_id: id,
          name,
          tag: 'mine',
          type: 'BATCH',
          image: 'debian:latest',
          cluster_mode: 'single-node',
          cluster_size: 1,
          domain_name: 'default',
          group_name: 'alice',
          user_email: 'alice',
          access_key: stage.keys.alice.accessKey,
          status: 'RUNNING',
          status_info: '',
          status_data: null,
          terminated_at: null,
          startup_command: 'echo "hello"',
          result: 'UNDEFINED',
          resource_opts: '{"shmem":"33554432"}',
          service_ports: '[]',
          occupied_slots: '{"cpu":"2","mem":"1073741824"}',
          containers: [{ session_id: id, role: 'main', status: 'RUNNING' }],
          dependencies: [{ name: first.name, id: first.id }],
          idle_checks: '{}',
        },
      },
    });
  });
  test('by status, in parts, counted', async () => {
    const tagged = { tag: 'window' };
    const made = [await stage.made(tagged), await stage.made(tagged), await stage.made(tagged)];
    await stage.become(made[0]?.id ?? '', { state: 'running', restartWish: 5, wish: 5 });
    await stage.become(made[1]?.id ?? '', ending('error'));
    await stage.become(made[2]?.id ?? '', { state: 'running', wanted: 'terminated' });
    const ids = async (status: string): Promise<unknown[]> => (await list(stage.js, `status: "${status}"`)).items.map(({ id }) => id);
    expect(await ids('RESTARTING')).toEqual([made[0]?.id]);
    expect(await ids('ERROR')).toContain(made[1]?.id);
    expect(await ids('TERMINATING')).toContain(made[2]?.id);
    expect(await ids('RUNNING')).not.toContain(made[2]?.id);
    const all = await list(stage.js, 'limit: 100, offset: 0');
    expect(all.items).toHaveLength(all.total_count);
    expect((await list(stage.js, 'limit: 2, offset: 1')).items).toEqual(all.items.slice(1, 3));
    expect((await list(stage.js, 'limit: 2, order: "created_at"')).items).toEqual(all.items.toReversed().slice(0, 2));
  });
  test('are seen as everywhere: her own, and by administrators', async () => {
    const { id } = await stage.made();
    const one = async (client: BackendAiClient): Promise<unknown> =>
      (await ask(client, 'query($id: UUID!) { compute_session(id: $id) { id } }', { id })).body['compute_session'];
    expect([await one(stage.py), await one(stage.bob), await one(stage.root)]).toEqual([{ id }, null, { id }]);
    const sees = async (client: BackendAiClient, args: string): Promise<boolean> =>
      (await list(client, args, 'id access_key')).items.some(
        (item) => item['id'] === id && item['access_key'] === stage.keys.alice.accessKey,
      );
    expect(await sees(stage.py, 'limit: 100')).toBe(true);
    expect(await sees(stage.bob, 'limit: 100')).toBe(false);
    expect(await sees(stage.root, 'limit: 100')).toBe(true);
    expect(await sees(stage.root, `access_key: "${stage.keys.alice.accessKey}"`)).toBe(true);
    expect(await sees(stage.root, `access_key: "${stage.keys.bob.accessKey}"`)).toBe(false);
    const refused = await ask(stage.bob, `{ compute_session_list(access_key: "${stage.keys.alice.accessKey}") { total_count } }`);
    expect(refused).toMatchObject({ status: 403, body: { type: `${TYPE}generic-forbidden` } });
    expect(stage.server.logged()).toMatch(/"audit":"session.list"[^\n]*"actor":"root"/);
  });
  test.each([
    ['a filter', 'filter: "status == 1"', 501],
    ['an order nobody knows', 'order: "name"', 400],
    ['more than a hundred', 'limit: 101', 400],
    ['a negative offset', 'offset: -1', 400],
    ['a group that is no id', 'group_id: "x"', 400],
    ['a status nobody knows', 'status: "ASLEEP"', 400],
  ])('%s is refused in a sentence', async (_, args, status) => {
    const answer = await ask(stage.js, `{ compute_session_list(${args}) { items { id } total_count } }`);
    expect(answer).toMatchObject({ status, body: { msg: expect.stringMatching(/\w+ \w+ \w+/) } });
  });
});

describe('people and places', () => {
  test('the key pair that asks, without its secret', async () => {
    const answer = await ask(
      stage.js,
      '{ keypair { access_key secret_key is_active is_admin user_id concurrency_limit concurrency_used rate_limit } }',
    );
    expect(answer.body['keypair']).toEqual({
      access_key: stage.keys.alice.accessKey,
      secret_key: null,
      is_active: true,
      is_admin: false,
      user_id: 'alice',
      concurrency_limit: 7,
      concurrency_used: expect.any(Number),
      rate_limit: 30_000,
    });
    expect(answer.text).not.toContain(stage.keys.alice.secretKey);
  });
  const everybody = '{ user_list(limit: 100, offset: 0) { items { uuid username email role is_active groups { name } } total_count } }';
  test('users: all for administrators, oneself for everybody', async () => {
    const { user_list: all } = (await ask(stage.root, everybody)).body as { user_list: Listed };
    expect(all.total_count).toBe(3);
    expect(all.items).toContainEqual({
      uuid: stage.server.people.bob.user.id,
      username: 'bob',
      email: 'bob',
      role: 'user',
      is_active: true,
      groups: [{ name: 'bob' }],
    });
    expect(await ask(stage.js, everybody)).toMatchObject({ status: 403, body: { type: `${TYPE}insufficient-privilege` } });
    expect((await ask(stage.js, '{ user(email: "bob") { username } }')).body).toEqual({ user: { username: 'alice' } });
    expect((await ask(stage.root, '{ user(email: "bob") { username } }')).body).toEqual({ user: { username: 'bob' } });
  });
  test("key pairs: another's are an administrator's to see", async () => {
    const query = '{ keypair_list(limit: 100, offset: 0, email: "bob", is_active: true) { items { access_key } total_count } }';
    const bobs = { items: [{ access_key: stage.keys.bob.accessKey }], total_count: 1 };
    expect((await ask(stage.root, query)).body).toEqual({ keypair_list: bobs });
    expect((await ask(stage.js, query)).body).toEqual({ keypair_list: { items: [], total_count: 0 } });
  });
  test('groups, domains, images, policies, presets', async () => {
    const query = `{ groups { name domain_name } domain(name: "default") { name } image(reference: "berth/base") { name tag }
      images { name } keypair_resource_policy(name: "default") { max_concurrent_sessions } resource_presets { name } scaling_groups { name } }`;
    expect((await ask(stage.js, query)).body).toEqual({
      groups: [{ name: 'alice', domain_name: 'default' }],
      domain: { name: 'default' },
      image: { name: 'berth/base', tag: 'latest' },
      images: [{ name: 'berth/base' }],
      keypair_resource_policy: { max_concurrent_sessions: 7 },
      resource_presets: [],
      scaling_groups: [{ name: 'default' }],
    });
  });
  test('nodes are for administrators', async () => {
    const agents = '{ agents(status: "ALIVE") { id available_slots } }';
    expect((await ask(stage.root, agents)).body).toEqual({ agents: [] });
    expect(await ask(stage.js, agents)).toMatchObject({ status: 403 });
  });
});

describe('the language', () => {
  test('the newer address answers as GraphQL does everywhere', async () => {
    expect(await ask(stage.js, '{ user { username } }', {}, '/admin/gql')).toMatchObject({
      status: 200,
      body: { data: { user: { username: 'alice' } } },
    });
    const wrong = await ask(stage.js, '{ user { nonsense } }', {}, '/admin/gql');
    expect(wrong).toMatchObject({ status: 200, body: { data: null, errors: [{ message: expect.stringContaining('nonsense') }] } });
    const half = await ask(stage.js, '{ user { username } agents { id } }', {}, '/admin/gql');
    expect(half.body).toMatchObject({
      data: { user: { username: 'alice' }, agents: null },
      errors: [{ message: expect.any(String), path: ['agents'] }],
    });
  });
  test.each([
    ['what cannot be read', '{ user {', 'Syntax Error'],
    ['a field that is not there', '{ user { shoe_size } }', 'shoe_size'],
    ['a variable that is missing', 'query($id: UUID!) { compute_session(id: $id) { id } }', '$id'],
    ['a variable of another type', 'query($id: String) { compute_session(id: $id) { id } }', 'UUID'],
    ['a fragment in itself', '{ user { ...f } } fragment f on User { ...f }', 'f'],
    ['several operations without a name', 'query a { user { id } } query b { user { id } }', 'operation'],
  ])('%s is told to who asks the older one', async (_, query, words) => {
    const answer = await ask(stage.js, query);
    expect(answer).toMatchObject({
      status: 400,
      body: { type: `${TYPE}graphql-error`, msg: expect.stringContaining(words), data: expect.any(Array) },
    });
  });
  test('of several operations the one that is named', async () => {
    const body = { query: 'query a { user { id } } query b { user { username } }', operationName: 'b' };
    expect((await stage.js.send('POST', '/admin/graphql', { body })).body).toEqual({ user: { username: 'alice' } });
  });
  test.each(['mutation { create_user(email: "x") { ok } }', 'subscription { x }'])(
    '%s: nothing is changed here, and that is said',
    async (query) => {
      for (const path of ['/admin/graphql', '/admin/gql'])
        expect(await ask(stage.js, query, { input: { deep: {} } }, path)).toMatchObject({
          status: 501,
          body: { type: `${TYPE}not-implemented` },
        });
    },
  );
  test('what there is to ask is told to who signs', async () => {
    const answer = await ask(stage.js, getIntrospectionQuery());
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('compute_session_list')]);
    expect(
      await stage.js.send('POST', '/admin/graphql', { body: { query: '{ __typename }' }, headers: { authorization: undefined } }),
    ).toMatchObject({
      status: 401,
    });
  });
  const nested = (levels: number, inner: string): string => (levels === 0 ? inner : `{ fields { type ${nested(levels - 1, inner)} } }`);
  test.each([
    ['a long one', `{ user(email: "${'x'.repeat(20_000)}") { id } }`],
    ['a deep one', `${'{ a '.repeat(100)}${'}'.repeat(100)}`],
    ['brackets', `{ a(b: ${'['.repeat(100_000)}`],
    ['a circle of types', `{ __schema { types ${nested(4, '{ name }')} } }`],
    ['aliases', `{ ${Array.from({ length: 200 }, (_, n) => `a${n}: compute_session_list(limit: 100) { total_count }`).join(' ')} }`],
    [
      'fragments that double',
      `{ user { ...f0 } } ${Array.from({ length: 60 }, (_, n) => `fragment f${n} on User { ...f${n + 1} ...f${n + 1} }`).join(' ')} fragment f60 on User { id }`,
    ],
  ])('a query of death is refused at once: %s', async (_, query) => {
    for (const path of ['/admin/graphql', '/admin/gql']) {
      const { status, body } = await ask(stage.js, query, {}, path);
      expect(status === 400 || body['data'] === null).toBe(true);
    }
  });
  test.each([
    ['no query', {}],
    ['a query that is none', { query: 5 }],
    ['variables that are a list', { query: '{ user { id } }', variables: [1] }],
    ['deep variables', { query: '{ user { id } }', variables: { a: { b: { c: [[[]]] } } } }],
  ])('%s is refused', async (_, body) => expect(await stage.js.send('POST', '/admin/graphql', { body })).toMatchObject({ status: 400 }));
});
