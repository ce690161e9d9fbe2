import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BerthUnderTest } from './berth-under-test.ts';
import { cpuSince, cpuTimeOf, quiet, type CpuTime } from './cpu-time.ts';
import { signedHeaders } from './signed-headers.ts';
import { median, spread, table } from './statistics.ts';

interface Kind {
  readonly name: string;
  readonly path: string;
  readonly headers: () => Readonly<Record<string, string>>;
  /** Of CPU per request, server and database together, ms. */
  readonly goal?: number;
}
interface Load {
  readonly url: string;
  readonly requests: number;
  readonly connections: number;
}
/** Per request, in ms. */
interface Round {
  readonly cpu: CpuTime;
  readonly lasted: number;
}

/** The server's CPU time per request that only reads, over kept connections. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string', default: '9' },
      requests: { type: 'string', default: '2500' },
      connections: { type: 'string', default: '8' },
      profile: { type: 'string' },
    },
  });
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
  const nowhere = await mkdtemp(join(tmpdir(), 'berth-bench-cluster-'));
  let berth: BerthUnderTest | undefined;
  try {
    const environment = await clusterNowhere(nowhere);
    berth = await BerthUnderTest.start({ ground: { environment }, profile: values.profile });
    const load = { url: berth.url, requests: Number(values.requests), connections: Number(values.connections) };
    const kinds = await kindsOf(berth);
    const results = await measure(berth.pid, { kinds, load, rounds: Number(values.rounds) }, interrupted.signal);
    print(results, load);
  } finally {
    await berth?.dispose();
    await rm(nowhere, { recursive: true, force: true });
  }
}

/** A server that takes sessions and never gets round to running them: its cluster does not answer. */
async function clusterNowhere(folder: string): Promise<Readonly<Record<string, string>>> {
  const kubeconfig = join(folder, 'kubeconfig.json');
  const named = (what: object): readonly object[] => [{ name: 'nowhere', ...what }];
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'nowhere',
    clusters: named({ cluster: { server: 'https://127.0.0.1:9' } }),
    users: named({ user: { token: 'none' } }),
    contexts: named({ context: { cluster: 'nowhere', user: 'nowhere' } }),
  };
  await writeFile(kubeconfig, JSON.stringify(content));
  return { BERTH_RUNTIME: 'kubernetes', KUBECONFIG: kubeconfig };
}

async function kindsOf(berth: BerthUnderTest): Promise<readonly Kind[]> {
  const { session, ...keys } = await berth.ask({ command: ['sleep', 'infinity'], resources: { cpu: 1, memory: '1GiB' } });
  const path = `/session/${session.id}`;
  return [
    { name: 'GET /', path: '/', headers: () => ({}) },
    {
      name: 'GET /api/sessions/:id, token',
      path: `/api/sessions/${session.id}`,
      headers: () => ({ authorization: `Bearer ${berth.token}` }),
    },
    { name: 'GET /session/:id, signed', path, headers: () => signedHeaders(new URL(path, berth.url), keys), goal: 0.5 },
  ];
}

type Results = ReadonlyMap<Kind, readonly Round[]>;

async function measure(
  pid: number,
  { kinds, load, rounds }: { kinds: readonly Kind[]; load: Load; rounds: number },
  interrupted: AbortSignal,
): Promise<Results> {
  const results = new Map<Kind, Round[]>(kinds.map((kind) => [kind, []]));
  // The first round is a warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const kind of kinds.toSorted(() => Math.random() - 0.5)) {
      interrupted.throwIfAborted();
      await quiet();
      const before = await cpuTimeOf(pid);
      const begun = performance.now();
      await sendAll(kind, load);
      const lasted = (performance.now() - begun) / load.requests;
      const { own, below } = cpuSince(before, await cpuTimeOf(pid));
      if (round > 0) results.get(kind)?.push({ cpu: { own: own / load.requests, below: below / load.requests }, lasted });
    }
    process.stderr.write(process.stderr.isTTY ? `\rround ${round} of ${rounds}   ` : '');
  }
  return results;
}

async function sendAll({ path, headers }: Kind, { url, requests, connections }: Load): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const said = headers();
  let left = requests;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await send(new URL(path, url), said, agent);
    }
  };
  await Promise.all(Array.from({ length: connections }, lane));
  agent.destroy();
}

function send(url: URL, headers: Readonly<Record<string, string>>, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers, agent }, (response) => {
      response.resume().once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url.pathname} answered ${response.statusCode}`));
      });
    });
    request.once('error', reject).end();
  });
}

function print(results: Results, { requests, connections }: Load): void {
  const rounds = Math.max(...[...results.values()].map(({ length }) => length));
  console.log(`\nRequests that read, ${cpus().length} CPUs: ${rounds} rounds of ${requests} each, ${connections} connections.`);
  console.log('CPU time per request in ms, median (10th to 90th percentile).\n');
  const rows = [...results].map(([{ name, goal }, all]) => {
    const together = all.map(({ cpu }) => cpu.own + cpu.below);
    const share = (of: (round: Round) => number, digits = 3): string => spread(all.map(of), digits);
    return [
      name,
      share(({ cpu }) => cpu.own),
      share(({ cpu }) => cpu.below),
      spread(together, 3),
      share(({ lasted }) => 1000 / lasted, 0),
      goal === undefined ? '' : `< ${goal}`,
      goal === undefined ? '' : median(together) < goal ? 'met' : 'missed',
    ];
  });
  console.log(table([['', 'server', 'PostgreSQL', 'together', 'requests/s', 'goal', ''], ...rows]));
}
