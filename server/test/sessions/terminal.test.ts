import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '@berth/contract';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { Tmux } from '../support/tmux.ts';
import { endAll, hasEnded, until } from '../support/until.ts';

describe.each(PLATFORMS)('a terminal on $name', ({ on, image: IMAGE }) => {
  let server: BerthProcess;
  let client: Client;
  const open: Tmux[] = [];
  const terminal = async (args: readonly string[], size?: { cols: number; rows: number }): Promise<Tmux> => {
    const one = await Tmux.run(server, args, size);
    open.push(one);
    return one;
  };
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: IMAGE } });
    client = await server.client();
  });
  afterAll(async () => {
    await Promise.all(open.map((one) => one.close()));
    await endAll(client);
    await server.dispose();
  });

  test('is entered, resized, left and come back to, shared, survives the server, and ends the session with its shell', async () => {
    const name = `shared-${randomUUID().slice(0, 8)}`;
    const first = await terminal(['session', 'create', '--name', name]);
    await first.shows(/\$ ?$/);
    await first.type('echo one $((40 + 2)); stty size', 'Enter');
    await first.shows(/one 42\n24 100/);
    await first.resize(90, 20);
    // A new size and a key pressed in the same moment may arrive in either order.
    const sized = async (): Promise<string> => {
      await first.type('clear; stty size', 'Enter');
      return first.screen();
    };
    await expect.poll(sized, { timeout: 30_000, interval: 500 }).toMatch(/20 90/);
    await first.shows(/20 90\n.*\$$/);
    await first.type('C-p', 'C-q');
    await first.shows(/berth session attach/);
    await first.shows('left with 0');

    const second = await terminal(['session', 'attach', name], { cols: 90, rows: 20 });
    await second.shows(/20 90\n.*\$$/);
    const third = await terminal(['session', 'attach', name], { cols: 90, rows: 20 });
    await third.shows(/20 90\n.*\$$/);
    await second.type('echo seen by $((1 + 1))', 'Enter');
    await second.shows('seen by 2');
    await third.shows('seen by 2');

    const beside = await terminal(['session', 'exec', name]);
    await beside.shows(/\$ ?$/);
    await beside.type('tty; exit 4', 'Enter');
    await beside.shows('left with 4');
    expect((await client.getSession({ params: { session: name } })).state).toBe('running');

    await server.kill();
    await server.start();
    // What is typed before the command line has found the new server is typed to nobody.
    const answered = async (): Promise<string> => {
      await second.type('echo after the server $((2 + 3))', 'Enter');
      return second.screen();
    };
    await expect.poll(answered, { timeout: 30_000, interval: 1_000 }).toContain('after the server 5');

    await third.close();
    await second.type('exit 7', 'Enter');
    await second.shows('left with 7');
    expect(await until(client, name, 'ended', hasEnded)).toMatchObject({ state: 'terminated', exitCode: 7 });
  });

  test('that is closed does not end the session', async () => {
    const one = await terminal(['session', 'create', '--name', 'left-open']);
    await one.shows(/\$ ?$/);
    await one.close();
    expect((await berth(server, ['session', 'exec', 'left-open', '--', 'echo', 'still here'])).stdout).toBe('still here\n');
  });

  test('that is interrupted while the session waits gives its claim back', async () => {
    const { name: node, capacity } = (await client.listNodes({ query: {} })).items[0] ?? { name: '', capacity: { cpu: 1 } };
    const most = capacity.cpu * 0.75;
    const holder = await client.createSession({ body: { image: IMAGE, command: ['sleep', '600'], node, resources: { cpu: most } } });
    await until(client, holder.id, 'running', ({ state }) => state === 'running');
    const waiting = await terminal(['session', 'create', '--name', 'waiting', '--node', node, '--cpus', `${most}`]);
    await waiting.shows(/needs [\d.]+ CPU/);
    await waiting.type('C-c');
    await waiting.shows('left with 130');
    expect(await until(client, 'waiting', 'cancelled', hasEnded)).toMatchObject({ state: 'cancelled' });
  });
});
