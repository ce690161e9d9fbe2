import { startingInstant, type CreateSession, type Session, type SessionCommit, type SessionStatistics } from '@berth/contract';

const NOW = '2026-01-01T12:00:00.000Z';

/** A session of the stand-in server's, just asked for. `name` is the one it has where none was asked for. */
export function standInSession(wish: CreateSession, { id, name }: { id: string; name: string }): Session {
  const { cpu = null, gpu = 0, memory = null, sharedMemory = null } = wish.resources;
  return {
    id,
    name: wish.name ?? name,
    project: { id: 'p1', name: 'ada' },
    owner: { id: 'u1', name: 'ada' },
    type: wish.type,
    tag: wish.tag ?? null,
    state: 'pending',
    stateSince: NOW,
    reason: 'queued',
    wanted: 'running',
    frozen: false,
    image: { reference: wish.image ?? 'docker://berth/base', digest: null },
    command: wish.command,
    tty: wish.tty,
    stdin: wish.stdin,
    resources: {
      cpu,
      gpu,
      memoryBytes: memory,
      sharedMemoryBytes: sharedMemory,
      reserved: cpu !== null || memory !== null || gpu > 0,
      devices: [],
    },
    mounts: wish.mounts.map(mountOf),
    clusterSize: wish.clusterSize,
    clusterMode: wish.clusterMode,
    containers: Array.from({ length: wish.clusterSize }, (_, rank) => containerOf(rank)),
    degraded: false,
    node: null,
    egress: wish.egress,
    port: wish.port ?? null,
    servicePorts: wish.ports,
    bootstrap: wish.bootstrapScript !== undefined,
    architecture: wish.architecture ?? null,
    startsAt: wish.startsAt === undefined ? null : startingInstant(wish.startsAt, new Date(NOW)).toISOString(),
    dependencies: wish.dependencies.map((one) => ({ id: one, name: one, state: 'running', result: null })),
    batchTimeoutMs: wish.batchTimeout ?? null,
    retry: wish.retry,
    result: null,
    generation: 1,
    restarts: 0,
    waiting: null,
    timeline: [],
    exitCode: null,
    cause: null,
    lastLog: [],
    statistics: null,
    commit: null,
    callback:
      wish.callbackUrl === undefined ? null : { url: wish.callbackUrl, lastStatus: null, lastProblem: null, lastAt: null, failures: 0 },
    createdAt: NOW,
    startedAt: null,
    endedAt: null,
    willStopAt: null,
  };
}

const containerOf = (rank: number): Session['containers'][number] => ({
  name: rank === 0 ? 'main1' : `sub${rank}`,
  role: rank === 0 ? 'main' : 'sub',
  node: null,
  state: 'waiting',
  exitCode: null,
  reason: null,
});

const mountOf = ({ storage: name, target = `/work/${name}`, readOnly }: CreateSession['mounts'][number]): Session['mounts'][number] => ({
  storage: { id: `id-of-${name}`, name },
  target,
  readOnly,
});

/** As counted now where it runs. */
export const standInStatistics = ({ id, name, state, statistics }: Session): SessionStatistics => ({
  id,
  name,
  live: state === 'running',
  statistics,
});

export const standInCommit = (image: string): SessionCommit => ({
  id: '0199a3b4-c5d6-7000-8000-00000000c0de',
  image: `docker://localhost/berth/ada/${image}`,
  state: 'working',
  message: 'saving what was written in the session',
  digest: null,
  askedAt: NOW,
  endedAt: null,
});
