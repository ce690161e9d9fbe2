import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KUBECONFIG } from '../runtimes/kubernetes/cluster-bed.ts';
import { DeployGround } from './deploy-ground.ts';
import { blocksUnder } from './page.ts';
import { storm } from './storm.ts';
import type { TypedShell } from './typed-shell.ts';

const LINE_MS = 20 * 60_000;
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
    // What the page makes, it deletes by name at the end.
    expect(empty).not.toContain('Namespace /berth');
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
    await storm(ground, 'other');
    await reconnect();
    await shell.line('npx berth session stop --all', LINE_MS);
    await expect.poll(() => leftOver(ground), { timeout: 120_000, interval: 1000 }).toEqual([]);
    console.log('orphans after session stop --all: 0');
  });

  it('loses and doubles nothing when the replica is killed that the clients talk to', async () => {
    await storm(ground, 'same');
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

/** What sessions are made of, and is still there. */
async function leftOver(ground: DeployGround): Promise<readonly string[]> {
  const listed = await ground.kubectl('get', THINGS, '--namespace=berth-sessions', '--ignore-not-found', '--output=name');
  return listed.split('\n').filter((name) => name !== '' && !name.includes('-token-'));
}
