import { expect } from 'vitest';
import type { CreateSessionInput, Session } from '@berth/contract';
import { clearBed, instanceOf, nothingLeftOver, type AnyBed } from '../bed.ts';
import { Keeper } from '../keeper.ts';
import { create, isRunning } from '../life.ts';
import { ClusterLedger } from './cluster-ledger.ts';

/** Of the cluster that the fault suite may break; undefined: told loudly, since these tests then say nothing. */
export const FAULT_KUBECONFIG = ((): string | undefined => {
  const path = process.env['BERTH_TEST_FAULT_KUBECONFIG'] ?? '';
  if (path !== '') return path;
  if (process.env['CI'] === 'true') throw new Error('no cluster to break: npm test starts one and names it in BERTH_TEST_FAULT_KUBECONFIG');
  console.warn('*** NOT TESTED: faults of Kubernetes (BERTH_TEST_FAULT_KUBECONFIG is unset) ***');
  return undefined;
})();

/** What the sessions of the suite are made of. */
export const ON_CLUSTER: Partial<CreateSessionInput> = {
  image: `docker://${process.env['BERTH_TEST_CLUSTER_IMAGE'] ?? 'berth/base:latest'}`,
};

/** A server with a namespace of its own in the cluster. */
export interface ClusterFaultBed extends AnyBed {
  readonly ledger: ClusterLedger;
  outages: number;
}

export async function makeClusterBed(env: Readonly<Record<string, string>> = {}): Promise<ClusterFaultBed> {
  const kubeconfig = FAULT_KUBECONFIG ?? '';
  const keeper = await Keeper.start({ kubeconfig, env: { BERTH_SWEEP_EVERY: '2s', BERTH_STOP_GRACE: '3s', ...env } });
  const { namespace } = keeper.berth;
  if (namespace === undefined) throw new Error('a server on a cluster has a namespace');
  return { keeper, ledger: ClusterLedger.follow(kubeconfig, namespace), instance: await instanceOf(keeper.berth), outages: 0 };
}

/** A session that runs. */
export async function running(bed: AnyBed, more: Partial<CreateSessionInput> = {}): Promise<Session> {
  const { id } = await create(bed.keeper, { ...ON_CLUSTER, ...more });
  return bed.keeper.until(id, 'running', isRunning);
}

export const control = (id: string) => ({ params: { session: id }, body: {} });
export const get = (bed: AnyBed, id: string): Promise<Session> =>
  bed.keeper.ask((client) => client.getSession({ params: { session: id } }));

/** Ends what runs on the beds, says what was seen, and fails where anything was that must not be. */
export async function settleAccounts(title: string, beds: readonly ClusterFaultBed[]): Promise<void> {
  const sessions = await Promise.all(beds.map(countSessions));
  const leftovers = (await Promise.all(beds.map(nothingLeftOver))).flat();
  const remains = (await Promise.all(beds.map(clearBed))).flat();
  const violations = [...beds.flatMap(({ ledger }) => ledger.violations), ...leftovers, ...remains];
  const sum = (of: (bed: ClusterFaultBed) => number): number => beds.reduce((total, bed) => total + of(bed), 0);
  const [kills, outages, pods] = [sum(({ keeper }) => keeper.kills), sum((bed) => bed.outages), sum(({ ledger }) => ledger.created)];
  const counted = sessions.reduce((total, one) => total + one, 0);
  console.log(
    `kubernetes faults (${title}): ${kills} kills, ${outages} outages, ${counted} sessions, ${pods} pods checked, violations: ${violations.length}`,
  );
  expect(violations).toEqual([]);
}

async function countSessions({ keeper }: ClusterFaultBed): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const query = { all: 'true', limit: 200, ...(cursor !== undefined && { cursor }) } as const;
    const page = await keeper.ask((client) => client.listSessions({ query }));
    count += page.items.length;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return count;
}
