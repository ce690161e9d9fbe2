import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { daemonAt } from '../../../scripts/docker-daemon.js';
import type { BerthProcess } from '../support/berth-process.ts';
import { EngineLedger } from './engine-ledger.ts';
import { Keeper } from './keeper.ts';
import type { Ledger } from './ledger.ts';
import { FAULT_IMAGE, hasEnded } from './life.ts';

/** The engine that the fault suite may stop and kill: nobody else uses it. */
export const FAULT_ENGINE = process.env['BERTH_TEST_FAULT_DOCKER'] ?? '';

/** A server that is killed and started again, and what is known of it from outside. */
export interface AnyBed {
  readonly keeper: Keeper;
  readonly ledger: Ledger;
  readonly instance: string;
}
export interface Bed extends AnyBed {
  readonly ledger: EngineLedger;
}

export async function makeBed(env: Readonly<Record<string, string>> = {}): Promise<Bed> {
  if (FAULT_ENGINE === '') throw new Error('BERTH_TEST_FAULT_DOCKER names no engine: run the suite with npm test, which starts one');
  const keeper = await Keeper.start({
    dockerHost: FAULT_ENGINE,
    env: { BERTH_SWEEP_EVERY: '2s', BERTH_STOP_GRACE: '3s', ...env },
  });
  const ledger = new EngineLedger(FAULT_ENGINE);
  await tagImage(ledger);
  await ledger.follow();
  return { keeper, ledger, instance: await instanceOf(keeper.berth) };
}

/** What the sessions of the suite run. */
export async function tagImage(ledger: EngineLedger): Promise<void> {
  const [repo, tag] = FAULT_IMAGE.replace('docker://', '').split(':');
  await ledger.engine.getImage(process.env['BERTH_TEST_IMAGE'] ?? 'dev/debian:latest').tag({ repo: repo ?? '', tag: tag ?? '' });
}

/** The installation's id, which everything of ours on the engine is labelled with. */
export async function instanceOf(server: BerthProcess): Promise<string> {
  const access = JSON.parse(await readFile(join(server.dataFolder, 'local-access.json'), 'utf8')) as { instance: string };
  return access.instance;
}

export const faultDaemon = () => daemonAt(FAULT_ENGINE);

/** Everything that is not a live session's must go, by itself, within the sweep's rhythm. */
export async function nothingLeftOver(bed: AnyBed): Promise<readonly string[]> {
  const until = Date.now() + 60_000;
  for (;;) {
    const { items } = await bed.keeper.ask((client) => client.listSessions({ query: { limit: 200 } }));
    const live = new Set(items.map(({ id }) => id));
    const leftovers = await bed.ledger.leftovers(bed.instance, live);
    if (leftovers.length === 0 || Date.now() > until) return leftovers;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Ends all sessions, then the server; answers what stayed behind. */
export async function clearBed(bed: AnyBed): Promise<readonly string[]> {
  const { items } = await bed.keeper.ask((client) => client.listSessions({ query: { limit: 200 } }));
  for (const { id } of items) await bed.keeper.ask((client) => client.terminateSession({ params: { session: id }, body: {} }));
  for (const { id } of items) await bed.keeper.until(id, 'ended', hasEnded);
  const leftovers = await nothingLeftOver(bed);
  bed.ledger.close();
  await bed.keeper.dispose();
  return leftovers;
}
