import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import type { Client, Session } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../runtimes/kubernetes/cluster-bed.ts';
import { DeployGround } from './deploy-ground.ts';
import { blocksUnder } from './page.ts';
import { PodSightings } from './pod-sightings.ts';
import { Replicas } from './replicas.ts';
import type { TypedShell } from './typed-shell.ts';

const LINE_MS = 20 * 60_000;
const RUNNING_MS = 15 * 60_000;
const SESSIONS = 50;
const KILLED_AFTER = 15;
const AT_ONCE = 10;
const SECRET_VALUE = 'only-the-session-knows';
const THINGS = 'pods,secrets,networkpolicies,services';

describe.skipIf(KUBECONFIG === undefined)('docs/kubernetes.md, in an empty cluster', () => {
  let ground: DeployGround;
  let shell: TypedShell;
  let empty: readonly string[];
  let blocks: readonly (readonly string[])[];

  beforeAll(async () => {
    ground = await DeployGround.make(KUBECONFIG ?? '');
    empty = await ground.content();
    expect(empty).toContain('Namespace /default');
    blocks = await blocksUnder('From an empty cluster to a session', join(ground.checkout, 'docs/kubernetes.md'));
    shell = await ground.shell();
  });
  afterAll(async () => {
    if (shell !== undefined) console.log(stripVTControlCharacters(await readFile(shell.transcript, 'utf8')));
    await shell?.close();
    await ground?.close();
  });

  it('leads to a session, typed line by line', async () => {
    for (const line of blocks.slice(0, -1).flat()) {
      await (line.includes('session attach') ? visit(shell, line) : shell.line(line, LINE_MS));
    }
    const pod = await ground.kubectl('get', 'pods', '--namespace=berth-sessions', '--output=jsonpath={.items[*].status.phase}');
    expect(pod).toBe('Running');
  });

  it('loses and doubles nothing when the other replica is killed', async () => {
    await storm({ ground, name: 'other', victim: 'other' });
    await reconnect();
    await shell.line('npx berth session stop --all', LINE_MS);
    await expect.poll(() => leftOver(ground), { timeout: 120_000, interval: 1000 }).toEqual([]);
    console.log('orphans after session stop --all: 0');
  });

  it('loses and doubles nothing when the replica is killed that the clients talk to', async () => {
    await storm({ ground, name: 'same', victim: 'same' });
    await reconnect();
  });

  /** A port-forward ends with the pod that it leads to: the page's lines for it are typed again. */
  async function reconnect(): Promise<void> {
    await shell.line('kill %1; wait; true', LINE_MS);
    for (const line of blocks.flat().filter((one) => /port-forward .*&$|^until curl/.test(one))) await shell.line(line, LINE_MS);
  }

  it('is all taken away again', async () => {
    for (const line of blocks.at(-1) ?? []) {
      await shell.line(line, LINE_MS);
      if (line.includes('stop --all')) expect(await leftOver(ground)).toEqual([]);
    }
    const stays = async (): Promise<string[]> =>
      (await ground.content()).filter((one) => !empty.includes(one) && !one.includes(' kube-system/'));
    await expect.poll(stays, { timeout: 120_000, interval: 1000 }).toEqual([]);
    console.log('left in the cluster: nothing');
  });
});

/** Enters the session, sees it work, and leaves it running. */
async function visit(shell: TypedShell, line: string): Promise<void> {
  await shell.begin(line);
  await shell.shows(/\$ *$/);
  await shell.begin('echo "$((6 * 7)) in $(hostname)"');
  await shell.shows(/^42 in hello$/m);
  await shell.keys('C-p', 'C-q');
  await shell.back(line, LINE_MS);
}

interface Storm {
  readonly ground: DeployGround;
  /** Of its sessions, before their numbers. */
  readonly name: string;
  /** The replica that is killed: the one that the clients talk to, or not. */
  readonly victim: 'same' | 'other';
}

/** Many sessions asked for at once, while a replica is killed; all of them run in the end, each in the only pod it ever had. */
async function storm({ ground, name, victim }: Storm): Promise<void> {
  const replicas = await Replicas.of(ground);
  const sightings = new PodSightings(ground);
  try {
    const [talkedTo, other] = await replicas.ready();
    const clients = [await replicas.client(talkedTo), await replicas.client(other)];
    const killing = new Errand(KILLED_AFTER, () => replicas.kill(victim === 'same' ? talkedTo : other));
    const create = async (number: number): Promise<string> => {
      const { id } = await insist(victim === 'same' ? clients : clients.slice(0, 1), (client) =>
        client.createSession({ body: wanted(name, number) }),
      );
      await killing.count();
      return id;
    };
    const ids = await inTurns(
      Array.from({ length: SESSIONS }, (_, index) => index),
      create,
    );
    await killing.done;
    expect(new Set(ids).size).toBe(SESSIONS);
    const survivor = victim === 'same' ? clients.slice(1) : clients.slice(0, 1);
    const running = await untilRunning(survivor, name);
    expect(running.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(sightings.doubled).toEqual([]);
    const pods = await ground.kubectl('get', 'pods', '--namespace=berth-sessions', '--output=yaml');
    expect(pods).not.toContain(SECRET_VALUE);
    const mine = ids.map((id) => [...(sightings.pods.get(id) ?? [])]);
    expect(mine.map(([pod]) => pod?.split(' ').slice(0, 2).join(' '))).toEqual(ids.map(() => '1 main1'));
    console.log(
      `${victim} replica killed: ${running.length} running, ${mine.flat().length} pods ever seen of them, ${sightings.doubled.length} duplicates`,
    );
  } finally {
    sightings.close();
    replicas.close();
  }
}

const wanted = (name: string, number: number) => ({
  clientToken: `${name}-${number}`,
  name: `${name}-${number}`,
  command: ['sleep', '1000000'],
  env: { WORD: SECRET_VALUE },
});

/** Done once that many have been counted; whoever waits for it sees how it went. */
class Errand {
  readonly done: Promise<void>;
  #left: number;
  #begin: () => void = () => undefined;

  constructor(after: number, work: () => Promise<void>) {
    this.#left = after;
    this.done = new Promise<void>((resolve) => (this.#begin = resolve)).then(work);
    this.done.catch(() => undefined);
  }

  async count(): Promise<void> {
    this.#left -= 1;
    if (this.#left === 0) this.#begin();
  }
}

/** Asks one after the other until somebody answers. */
async function insist<T>(clients: readonly Client[], request: (client: Client) => Promise<T>): Promise<T> {
  const end = Date.now() + 120_000;
  for (let attempt = 0; ; attempt += 1) {
    const client = clients[attempt % clients.length];
    if (client === undefined) throw new Error('nobody to ask');
    try {
      return await request(client);
    } catch (error) {
      if (Date.now() > end) throw error;
      await delay(100);
    }
  }
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

async function untilRunning(clients: readonly Client[], name: string): Promise<readonly Session[]> {
  let mine: Session[] = [];
  const states = async (): Promise<Record<string, number>> => {
    const { items } = await insist(clients, (client) => client.listSessions({ query: { limit: 200 } }));
    mine = items.filter((session) => session.name.startsWith(`${name}-`));
    return Object.fromEntries(Object.entries(Object.groupBy(mine, ({ state }) => state)).map(([state, of]) => [state, of.length]));
  };
  await expect.poll(states, { timeout: RUNNING_MS, interval: 1000 }).toEqual({ running: SESSIONS });
  return mine;
}

/** What sessions are made of, and is still there. */
async function leftOver(ground: DeployGround): Promise<readonly string[]> {
  const listed = await ground.kubectl('get', THINGS, '--namespace=berth-sessions', '--ignore-not-found', '--output=name');
  return listed.split('\n').filter((name) => name !== '' && !name.includes('-token-'));
}
