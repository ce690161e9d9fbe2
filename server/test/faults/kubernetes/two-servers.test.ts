import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Client, Session } from '@berth/contract';
import { BerthProcess } from '../../support/berth-process.ts';
import { createTestDatabase, type TestDatabase } from '../../test-database.ts';
import { asked, hasEnded, isRunning } from '../life.ts';
import { FAULT_KUBECONFIG, ON_CLUSTER } from './cluster-fault-bed.ts';
import { ClusterLedger } from './cluster-ledger.ts';

const SESSIONS = 50;
const AT_ONCE = 5;

describe.skipIf(FAULT_KUBECONFIG === undefined)('on Kubernetes', () => {
  let database: TestDatabase;
  let doomed: BerthProcess;
  let survivor: BerthProcess;
  let ledger: ClusterLedger;
  beforeAll(async () => {
    const kubeconfig = FAULT_KUBECONFIG ?? '';
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url, BERTH_SWEEP_EVERY: '2s', BERTH_STOP_GRACE: '3s' };
    doomed = await BerthProcess.start({ kubeconfig, env });
    const { namespace } = doomed;
    if (namespace === undefined) throw new Error('a server on a cluster has a namespace');
    survivor = await BerthProcess.start({ dockerHost: '', env: { ...env, ...namespace.env } });
    ledger = ClusterLedger.follow(kubeconfig, namespace);
  });
  afterAll(async () => {
    ledger.close();
    await survivor.dispose();
    await doomed.dispose();
    await database.drop();
  });

  test(`${SESSIONS} sessions are asked for while one of two servers is killed: each gets one pod, and all run`, async () => {
    const client = await survivor.client();
    const ids: string[] = [];
    const lane = async (): Promise<void> => {
      while (ids.length < SESSIONS) {
        const index = ids.push('') - 1;
        ids[index] = (await client.createSession({ body: asked({ ...ON_CLUSTER, command: ['sleep', 'infinity'] }) })).id;
        if (index === SESSIONS / 2) await doomed.kill();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    const sessions = await allBecome(client, isRunning);
    expect(sessions.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(ledger.created).toBe(SESSIONS);

    await Promise.all(ids.map((session) => client.terminateSession({ params: { session }, body: {} })));
    await allBecome(client, hasEnded);
    await vi.waitFor(async () => expect(await ledger.leftovers('', new Set())).toEqual([]), { timeout: 30_000 });
    console.log(
      `kubernetes faults (two servers): 1 kills, 0 outages, ${SESSIONS} sessions, ${ledger.created} pods checked, violations: ${ledger.violations.length}`,
    );
    expect(ledger.violations).toEqual([]);
  });

  async function allBecome(client: Client, what: (session: Session) => boolean): Promise<readonly Session[]> {
    return vi.waitFor(
      async () => {
        const { items } = await client.listSessions({ query: { all: 'true', limit: 200 } });
        expect(items.filter((session) => !what(session)).map(({ name, state, reason }) => `${name} ${state} ${reason}`)).toEqual([]);
        return items;
      },
      { timeout: 300_000, interval: 500 },
    );
  }
});
