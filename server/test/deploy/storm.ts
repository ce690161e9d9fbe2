import { setTimeout as delay } from 'node:timers/promises';
import type { Client, CreateSessionInput, Session } from '@berth/contract';
import { expect } from 'vitest';
import type { DeployGround } from './deploy-ground.ts';
import { PodSightings } from './pod-sightings.ts';
import { Replicas } from './replicas.ts';

const SESSIONS = 50;
const AT_ONCE = 10;
const KILLED_AFTER = 15;
const ANSWERED_MS = 120_000;
const RUNNING_MS = 15 * 60_000;
const SECRET_VALUE = 'only-the-session-knows';

/** The replica that is killed: the one that the clients talk to, or not. Sessions' names begin with it. */
type Killed = 'same' | 'other';

/** Many sessions asked for at once, while a replica is killed; all of them run in the end, each in the only pod it ever had. */
export async function storm(ground: DeployGround, killed: Killed): Promise<void> {
  const replicas = await Replicas.of(ground);
  const sightings = new PodSightings(ground);
  try {
    const [talkedTo, other] = await replicas.ready();
    const clients = [await replicas.client(talkedTo), await replicas.client(other)];
    const victim = killed === 'same' ? talkedTo : other;
    const [ask, survivor] = killed === 'same' ? [clients, clients.slice(1)] : [clients.slice(0, 1), clients.slice(0, 1)];
    let asked = 0;
    let death: Promise<void> | undefined;
    const create = async (number: number): Promise<string> => {
      const { id } = await insist(ask, (client) => client.createSession({ body: wanted(killed, number) }));
      asked += 1;
      if (asked === KILLED_AFTER) death = replicas.kill(victim);
      return id;
    };
    const ids = await inTurns([...Array(SESSIONS).keys()], create);
    await death;
    expect(new Set(ids).size).toBe(SESSIONS);
    const running = await untilRunning(survivor, killed);
    expect(running.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    // Berth knows sooner than the cluster says.
    await expect.poll(() => runningPods(ground), { timeout: RUNNING_MS, interval: 1000 }).toEqual(expect.arrayContaining(ids));
    expect(sightings).toMatchObject({ doubled: [], complete: true });
    const pods = await ground.kubectl('get', 'pods', '--namespace=berth-sessions', '--output=yaml');
    expect(pods).not.toContain(SECRET_VALUE);
    const mine = ids.map((id) => [...(sightings.pods.get(id) ?? [])]);
    expect(mine.map(([pod]) => pod?.split(' ').slice(0, 2).join(' '))).toEqual(ids.map(() => '1 main1'));
    console.log(
      `${killed} replica killed: ${running.length} running, ${mine.flat().length} pods ever seen of them, ${sightings.doubled.length} duplicates`,
    );
  } finally {
    sightings.close();
    replicas.close();
  }
}

const wanted = (name: string, number: number): CreateSessionInput => ({
  clientToken: `${name}-${number}`,
  name: `${name}-${number}`,
  command: ['sleep', '1000000'],
  env: { WORD: SECRET_VALUE },
});

/** Asks one after the other until somebody answers. */
async function insist<T>(clients: readonly Client[], request: (client: Client) => Promise<T>): Promise<T> {
  const end = Date.now() + ANSWERED_MS;
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

/** Whose pods run, in the cluster's own words. */
async function runningPods(ground: DeployGround): Promise<string[]> {
  const sessions = '--output=jsonpath={.items[*].metadata.labels.berth\\.session}';
  return (await ground.kubectl('get', 'pods', '--namespace=berth-sessions', '--field-selector=status.phase=Running', sessions)).split(' ');
}
