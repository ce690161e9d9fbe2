import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Session } from '@berth/contract';
import { nothingLeftOver } from '../bed.ts';
import { create, hasEnded, isRunning } from '../life.ts';
import { ApiServer } from './api-server.ts';
import {
  control,
  FAULT_KUBECONFIG,
  get,
  makeClusterBed,
  ON_CLUSTER,
  running,
  settleAccounts,
  type ClusterFaultBed,
} from './cluster-fault-bed.ts';

const FOLDER = process.env['BERTH_TEST_FAULT_CLUSTER'] ?? '';
/** Longer than anything that asks every few seconds. */
const HALT_MS = 12_000;

describe.skipIf(FAULT_KUBECONFIG === undefined)('on Kubernetes', () => {
  let bed: ClusterFaultBed;
  beforeAll(async () => (bed = await makeClusterBed()));
  afterAll(() => settleAccounts('API server', [bed]));

  const nodes = async () => (await bed.keeper.ask((client) => client.listNodes({ query: {} }))).items;

  /** It is killed, and started again whatever happens. */
  async function withoutApiServer<T>(work: () => Promise<T>): Promise<T> {
    const api = await ApiServer.of(FOLDER);
    bed.outages += 1;
    await api.kill();
    try {
      return await work();
    } finally {
      await api.startAgain();
    }
  }

  /** One that nobody touches, and some that people want something of while the API server is away. */
  async function population() {
    const [calm, pausing, ending] = await Promise.all([running(bed), running(bed), running(bed, { type: 'batch' })]);
    const pod = await bed.ledger.podOf(calm.id);
    return {
      calm,
      ask: async (): Promise<{ pausing: Session; created: Session }> => {
        await bed.keeper.ask((client) => client.terminateSession(control(ending.id)));
        await bed.keeper.ask((client) => client.pauseSession(control(pausing.id)));
        const created = await create(bed.keeper, ON_CLUSTER);
        return { pausing, created };
      },
      done: async (created: Session): Promise<void> => {
        expect(await bed.keeper.until(ending.id, 'ended', hasEnded)).toMatchObject({ state: 'terminated' });
        await bed.keeper.until(pausing.id, 'paused', ({ state }) => state === 'paused');
        await bed.keeper.until(created.id, 'running', isRunning);
        expect(await get(bed, calm.id)).toMatchObject({ state: 'running', reason: 'running', restarts: 0, generation: calm.generation });
        expect((await bed.ledger.podOf(calm.id)).metadata?.uid).toBe(pod.metadata?.uid);
        expect(await nothingLeftOver(bed)).toEqual([]);
        expect(bed.ledger.violations).toEqual([]);
      },
    };
  }

  test('the API server is killed: sessions stay as they are, reasons say it, and what was asked meanwhile is done after', async () => {
    const { calm, ask, done } = await population();
    const created = await withoutApiServer(async () => {
      const wishes = await ask();
      const silent = /the cluster at \S+ does not answer since 20/;
      await bed.keeper.until(wishes.pausing.id, 'waiting for the cluster', ({ reason }) => silent.test(reason));
      await bed.keeper.until(wishes.created.id, 'waiting for the cluster', ({ reason }) => silent.test(reason));
      expect((await get(bed, calm.id)).state).toBe('running');
      await vi.waitUntil(async () => (await nodes()).every((node) => node.status === 'unreachable' && silent.test(node.statusReason)), {
        timeout: 30_000,
      });
      return wishes.created;
    });
    await done(created);
  });

  test('the API server hangs: sessions stay as they are, and what was asked meanwhile is done after', async () => {
    const { calm, ask, done } = await population();
    const api = await ApiServer.of(FOLDER);
    bed.outages += 1;
    api.halt();
    try {
      const { created } = await ask();
      await delay(HALT_MS);
      expect((await get(bed, calm.id)).state).toBe('running');
      api.goOn();
      await done(created);
    } finally {
      api.goOn();
    }
  });

  test('the API server goes while the server is down too: it starts without, and goes on after', async () => {
    const { calm, ask, done } = await population();
    const created = await withoutApiServer(async () => {
      await bed.keeper.kill();
      const wishes = await ask();
      expect((await get(bed, calm.id)).state).toBe('running');
      await bed.keeper.kill();
      return wishes.created;
    });
    await done(created);
  });
});
