import type { Executor } from '../../../src/domain/execution/executor.ts';
import type { Session } from '../../../src/domain/sessions/session.ts';
import type { HttpParts } from '../../../src/http/parts.ts';
import { until } from '../../storage/make.ts';
import type { ApiServer } from '../api-server.ts';

/** Ends at once, whatever is run: how long code takes is not what is tried here. */
const executor: Executor = {
  run: async (_, { runId }) => ({ runId, status: 'finished', exitCode: 0, raised: false, isPassword: false, console: [] }),
  interrupt: async () => undefined,
  complete: async () => [],
};

/** Bob's sessions, in different states, on a server that Alice sends anything to. */
export class Ground {
  /** What the server is made with. */
  static readonly PARTS: Partial<HttpParts> = { executor, log: false, signedRequestsPerWindow: Number.MAX_SAFE_INTEGER };
  /** Ids and names of sessions, hers and his. */
  readonly names: readonly string[];
  readonly #server: ApiServer;

  private constructor(server: ApiServer, names: readonly string[]) {
    this.#server = server;
    this.names = names;
  }

  static async prepare(server: ApiServer): Promise<Ground> {
    const { alice, bob } = server.people;
    const made: string[] = [];
    for (const [{ client }, more] of [
      [bob, { name: 'bobs-running' }],
      [bob, { name: 'bobs-paused' }],
      [bob, { name: 'bobs-ended' }],
      [bob, { name: 'bobs-waiting', type: 'batch' as const, startsAt: '30d' }],
      [alice, { name: 'alices-own' }],
    ] as const) {
      const command = ['sleep', 'infinity'];
      const { id, name } = await client.createSession({ body: { command, ...more } });
      if (!('startsAt' in more)) await reaches(server, id, 'running');
      made.push(id, name);
    }
    const his = (session: string) => ({ params: { session }, body: {} });
    await bob.client.pauseSession(his('bobs-paused'));
    await bob.client.terminateSession(his('bobs-ended'));
    await reaches(server, made[2] ?? '', 'paused');
    await reaches(server, made[4] ?? '', 'terminated');
    return new Ground(server, [...made, made[0]?.slice(0, 8) ?? '', 'bobs', 'no-such-session']);
  }

  /** What nobody but Bob changes. */
  async untouchable(): Promise<readonly object[]> {
    const { people, storage } = this.#server;
    const kinds = { ownerId: people.bob.user.id, projectId: null, kinds: null };
    const all = await storage.sessions.window(kinds, { offset: 0, limit: 100, oldestFirst: true });
    return all.map(({ id, name, state, wanted, wish, restarts, generation, spec, tag, ending }) => ({
      id,
      name,
      state,
      wanted,
      wish,
      restarts,
      generation,
      spec,
      tag,
      ending,
    }));
  }
}

function reaches(server: ApiServer, id: string, state: Session['state']): Promise<boolean> {
  return until(async () => (await server.storage.sessions.get(id))?.state === state, `${id} is ${state}`);
}
