import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError, type Client, type Session } from '@berth/contract';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BerthProcess, type BerthOptions } from '../support/berth-process.ts';

const PATIENCE_MS = 120_000;
const ENDED: readonly string[] = ['terminated', 'cancelled', 'error'];
const FLEETING = ['database-unavailable', 'engine-unavailable', 'shutting-down', 'internal'];

/** Keeps a server alive that others kill, and asks it again and again until it answers, as a patient client does. */
export class Keeper {
  readonly berth: BerthProcess;
  private readonly orders: string;
  private watching = true;
  private loop: Promise<void> = Promise.resolve();
  private nextOrder = '';
  kills = 0;

  private constructor(berth: BerthProcess, orders: string) {
    this.berth = berth;
    this.orders = orders;
  }

  static async start(options: BerthOptions): Promise<Keeper> {
    const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'berth-test-')));
    const orders = join(dataFolder, 'kill-orders');
    await writeFile(orders, '');
    const berth = await BerthProcess.start({ ...options, dataFolder, env: { ...options.env, BERTH_KILL_FILE: orders } });
    const keeper = new Keeper(berth, orders);
    keeper.loop = keeper.keep();
    return keeper;
  }

  /** Kills the server when it reaches this point; the start after that is unarmed. */
  async arm(order: string): Promise<void> {
    await this.ready();
    await writeFile(this.orders, order);
    if (this.berth.pid !== undefined) process.kill(this.berth.pid, 'SIGUSR2');
  }

  /** The same for what only happens while a server starts: this one is killed at once, the next at the point. */
  async armNextStart(order: string): Promise<void> {
    this.nextOrder = order;
    await this.kill();
  }

  async kill(): Promise<void> {
    await this.berth.kill();
  }

  /** Whichever of its lives answers next. */
  async ready(): Promise<void> {
    await this.ask((client) => client.getMe());
  }

  /** Repeats the call until the server answers; what it answers, right or wrong, is the answer. */
  async ask<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      try {
        return await call(await this.berth.client());
      } catch (error) {
        const final = error instanceof ProblemError && !FLEETING.includes(error.code);
        if (final || Date.now() > until) throw error;
      }
      await delay(50);
    }
  }

  async until(id: string, what: string, is: (session: Session) => boolean): Promise<Session> {
    const until = Date.now() + PATIENCE_MS;
    for (;;) {
      const session = await this.ask((client) => client.getSession({ params: { session: id } }));
      if (is(session)) return session;
      if (Date.now() > until || ENDED.includes(session.state))
        throw new Error(
          `${session.name} is not ${what} but ${session.state}, wanted ${session.wanted}, ${session.reason}\n${this.berth.log}`,
        );
      await delay(50);
    }
  }

  /** Ends the keeping and the server. */
  async dispose(): Promise<void> {
    this.watching = false;
    await this.berth.stop();
    await this.loop;
    await this.berth.dispose();
  }

  private async keep(): Promise<void> {
    while (this.watching) {
      await this.berth.ended();
      if (!this.watching) return;
      this.kills += 1;
      await writeFile(this.orders, this.nextOrder);
      this.nextOrder = '';
      this.berth.spawn();
    }
  }
}
