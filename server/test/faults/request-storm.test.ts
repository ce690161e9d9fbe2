import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { BackendAiClient, type Answered } from '../http/backend-ai/signing-client.ts';
import { clearBed, makeBed, nothingLeftOver, type Bed } from './bed.ts';
import { FAULT_IMAGE } from './life.ts';
import { seededRandom } from './seeded-random.ts';

const STORMS = Number(process.env['BERTH_TEST_STORMS'] ?? 1);
const SECONDS = Number(process.env['BERTH_TEST_STORM_SECONDS'] ?? 60);
const SEED = Number(process.env['BERTH_TEST_SEED'] ?? Date.now() % 1_000_000);

const NAMES = Array.from({ length: 10 }, (_, number) => `storm-${number}`);
const PEOPLE = 8;
const SETTLING_MS = 180_000;
/** There is room for all of them: none stays pending. */
const PASSING = ['pending', 'scheduled', 'pulling', 'preparing', 'pausing', 'restarting', 'terminating'];
/** What a person may be told in a storm; anything else is a defect. */
const FINE = [200, 201, 204, 400, 403, 404, 503];

/** People who create, restart, look at and destroy sessions of the same few names, whoever made them. */
class Crowd {
  readonly asked = { creates: 0, waiters: 0, others: 0 };
  readonly surprises: string[] = [];
  private readonly client: BackendAiClient;
  private readonly random: () => number;
  over = false;

  constructor(client: BackendAiClient, random: () => number) {
    this.client = client;
    this.random = random;
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: PEOPLE }, () => this.person()));
  }

  private async person(): Promise<void> {
    while (!this.over) {
      await this.act();
      await delay(this.random() * 200);
    }
  }

  private async act(): Promise<void> {
    const name = NAMES[Math.floor(this.random() * NAMES.length)] ?? 'storm';
    const dice = this.random();
    if (dice < 0.45) return this.create(name);
    this.asked.others += 1;
    if (dice < 0.6) return this.ask('DELETE', `/session/${name}?forced=${this.random() < 0.3}`);
    if (dice < 0.75) return this.ask('PATCH', `/session/${name}`);
    if (dice < 0.9) return this.ask('GET', `/session/${name}`);
    return this.ask('GET', `/session/${name}/logs`);
  }

  private async create(name: string): Promise<void> {
    const enqueueOnly = this.random() < 0.3;
    const batch = this.random() < 0.3;
    this.asked.creates += 1;
    await this.ask('POST', '/session', {
      image: FAULT_IMAGE.replace('docker://', ''),
      clientSessionToken: name,
      enqueueOnly,
      ...(batch && {
        sessionType: 'batch',
        startupCommand: `sleep ${(this.random() * 2).toFixed(1)}; exit ${this.random() < 0.5 ? 0 : 3}`,
      }),
      config: { resources: { cpu: '0.1', mem: '64m' } },
    });
    // Waiting for as long as it takes: until it runs or has ended.
    if (!enqueueOnly) this.asked.waiters += 1;
  }

  /** Again and again while nobody answers, as clients do: the server is killed every few seconds. */
  private async ask(method: string, path: string, body?: object): Promise<void> {
    for (;;) {
      const answer = await this.once(method, path, body);
      if (answer === undefined || answer.status === 503) await delay(100);
      else {
        if (!FINE.includes(answer.status)) this.surprises.push(`${method} ${path}: ${answer.status} ${answer.text}`);
        return;
      }
    }
  }

  private async once(method: string, path: string, body?: object): Promise<Answered | undefined> {
    try {
      return await this.client.send(method, path, body === undefined ? {} : { body });
    } catch {
      // The connection went with the server.
      return undefined;
    }
  }
}

/** What the books say is what the engine has: a container for each session that runs, none else, and nothing more reserved. */
async function booksAreRight(bed: Bed): Promise<void> {
  const { items } = await bed.keeper.ask((client) => client.listSessions({ query: { limit: 200 } }));
  const running = items.filter(({ state }) => state === 'running');
  const containers = await bed.ledger.engine.listContainers({ filters: { label: [`berth.instance=${bed.instance}`] } });
  expect(new Set(containers.map(({ Labels }) => Labels['berth.session']))).toEqual(new Set(running.map(({ id }) => id)));
  expect(containers).toHaveLength(running.length);
  const [node] = (await bed.keeper.ask((client) => client.listNodes({ query: {} }))).items;
  const reserved = {
    cpu: (node?.capacity.cpu ?? 0) - (node?.free.cpu ?? 0),
    bytes: (node?.capacity.memoryBytes ?? 0) - (node?.free.memoryBytes ?? 0),
  };
  expect(reserved.cpu).toBeCloseTo(running.length * 0.1, 6);
  expect(reserved.bytes).toBe(running.length * 64 * 1024 ** 2);
}

async function allSettled(bed: Bed): Promise<void> {
  const moving = async (): Promise<readonly string[]> => {
    const { items } = await bed.keeper.ask((client) => client.listSessions({ query: { limit: 200 } }));
    return items
      .filter(({ state, wanted }) => PASSING.includes(state) || wanted === 'terminated')
      .map(({ name, state }) => `${name} is ${state}`);
  };
  await expect.poll(moving, { timeout: SETTLING_MS, interval: 500 }).toEqual([]);
}

test.each(Array.from({ length: STORMS }, (_, number) => SEED + number))(
  `a storm of ${SECONDS} s of requests and kills, seed %i`,
  async (seed) => {
    const bed = await makeBed();
    const keys = await bed.keeper.ask((client) => client.createKeypair({ body: {} }));
    const random = seededRandom(seed);
    const crowd = new Crowd(new BackendAiClient(bed.keeper.berth.url, keys, 'py'), random);
    const running = crowd.run();
    const until = Date.now() + SECONDS * 1000;
    while (Date.now() < until) {
      await delay(1_000 + random() * 6_000);
      await bed.keeper.kill();
      await bed.keeper.ready();
    }
    crowd.over = true;
    // Every waiter is answered.
    await running;
    await allSettled(bed);
    expect(await nothingLeftOver(bed)).toEqual([]);
    // A restart that was asked for last may begin only now; a place that is counted wrongly stays wrong.
    await vi.waitFor(() => booksAreRight(bed), { timeout: SETTLING_MS, interval: 500 });
    console.log(
      `storm: seed ${seed}, ${SECONDS} s, ${bed.keeper.kills} kills, ${crowd.asked.creates} creates (${crowd.asked.waiters} waited for), ${crowd.asked.others} other requests, ${bed.ledger.created} containers, violations: ${bed.ledger.violations.length + crowd.surprises.length}`,
    );
    expect(crowd.surprises).toEqual([]);
    expect(bed.ledger.violations).toEqual([]);
    const failed = await bed.keeper.ask((client) => client.listSessions({ query: { all: 'true', state: 'error', limit: 200 } }));
    expect(failed.items).toEqual([]);
    const alive = await bed.keeper.ask((client) => client.listSessions({ query: { limit: 200 } }));
    expect(alive.items.length).toBeLessThanOrEqual(NAMES.length);
    expect(await clearBed(bed)).toEqual([]);
  },
  SECONDS * 1000 + 600_000,
);
