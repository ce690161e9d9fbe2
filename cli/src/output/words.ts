import { formatBytes, formatDuration, type Cause, type Session, type SessionCommit, type Statistics } from '@berth/contract';

const LENGTH = { alone: 18, least: 13 } as const;

/** Enough of an id to be told from any other of one person, the dashes included. */
export const shortId = (id: string): string => id.slice(0, LENGTH.alone);

/** The shortest beginning that tells `id` from all `others`. */
export function shortIdAmong(id: string, others: readonly string[]): string {
  for (let length: number = LENGTH.least; length < id.length; length++) {
    const beginning = id.slice(0, length);
    if (!beginning.endsWith('-') && !others.some((other) => other !== id && other.startsWith(beginning))) return beginning;
  }
  return id;
}

/** "3m", "2h", "5d": one unit, the largest. */
export function age(since: string, now: Date): string {
  const ms = Math.max(0, now.getTime() - Date.parse(since));
  return /^\d+[a-z]+/.exec(formatDuration(Math.floor(ms / 1000) * 1000))?.[0].replace(/^0ms$/, '0s') ?? '0s';
}

export function ordinal(n: number): string {
  const teen = n % 100 >= 11 && n % 100 <= 13;
  return `${n}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
}

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

const STEPS: Record<Session['timeline'][number]['step'], string> = {
  queue: 'waiting',
  image: 'image',
  storage: 'storage',
  create: 'container',
  start: 'starting',
  bootstrap: 'bootstrap script',
  ready: 'getting ready',
};

const STATES: Record<Session['state'], (session: Session) => string> = {
  pending: (session) => `Launching (${pendingWords(session)})`,
  scheduled: (session) => `Launching (${stepWords(session)})`,
  pulling: (session) => `Launching (${stepWords(session)})`,
  preparing: (session) => `Launching (${stepWords(session)})`,
  restarting: () => 'Launching (restarting)',
  running: ({ degraded }) => (degraded ? 'Running (degraded)' : 'Running'),
  pausing: () => 'Pausing',
  paused: ({ frozen }) => (frozen ? 'Paused (frozen)' : 'Paused'),
  terminating: () => 'Stopping',
  terminated: ({ exitCode }) => (exitCode === null ? 'Finished' : `Finished, exit ${exitCode}`),
  cancelled: () => 'Finished (cancelled)',
  error: ({ cause }) => (cause ? `Failed (${cause.code.replaceAll('-', ' ')})` : 'Failed'),
};

/** The state in a person's words. */
export const stateWords = (session: Session): string => STATES[session.state](session);

function pendingWords({ waiting, reason }: Session): string {
  const [hold] = waiting?.holds ?? [];
  if (hold !== undefined) return hold.reason;
  return waiting ? `waiting, ${ordinal(waiting.position)} of ${waiting.of}` : reason || 'queued';
}

function stepWords(session: Session): string {
  const step = session.timeline.findLast(({ endedAt }) => endedAt === null);
  if (!step) return session.reason || session.state;
  return step.detail ? `${STEPS[step.step]}: ${step.detail}` : STEPS[step.step];
}

export const stepName = (step: Session['timeline'][number]['step']): string => STEPS[step];

/** "2 CPUs, 1 GPU, 4GiB memory", of several containers "4 × 2 CPUs"; undefined when nothing was asked for. */
export function reservedWords({ resources, clusterSize }: Session): string | undefined {
  const { cpu, gpu, memoryBytes } = resources;
  const parts = [
    ...(cpu === null ? [] : [count(cpu, 'CPU')]),
    ...(gpu === 0 ? [] : [count(gpu, 'GPU')]),
    ...(memoryBytes === null ? [] : [`${formatBytes(memoryBytes)} memory`]),
  ];
  if (parts.length === 0) return undefined;
  return clusterSize === 1 ? parts.join(', ') : `${clusterSize} × ${parts.join(', ')}`;
}

/** What it waits for and where in the queue it stands. */
export function waitingWords(waiting: NonNullable<Session['waiting']>): string {
  const shown = waiting.reasons.slice(0, 3).map(({ node, reason }) => (reason.includes(node) ? reason : `${node}: ${reason}`));
  const more = waiting.reasons.length - shown.length;
  const held = (waiting.holds ?? []).map(({ reason }) => reason);
  const reasons = [...held, ...shown, ...(more > 0 ? [`and ${count(more, 'more node')}`] : [])].join('; ') || 'no node is free';
  return `${reasons}. You are ${ordinal(waiting.position)} of ${waiting.of}.`;
}

export function causeWords({ message, remedy }: Cause): string {
  const sentence = (text: string): string => (/[.!?]$/.test(text) || text === '' ? text : `${text}.`);
  return `${sentence(message)} ${sentence(remedy.charAt(0).toUpperCase() + remedy.slice(1))}`.trim();
}

/** Who is told, and how the last telling went. */
export function callbackWords({ url, lastStatus, lastProblem, lastAt, failures }: NonNullable<Session['callback']>, now: Date): string {
  if (lastAt === null) return `${url} (nothing sent yet)`;
  const last = lastProblem === null ? `answered ${lastStatus}` : `not delivered: ${lastProblem}`;
  return `${url} (${age(lastAt, now)} ago: ${last}${failures > 0 ? `; ${failures} not delivered in all` : ''})`;
}

/** Image references as people write them. */
export const imageWords = (reference: string): string => (reference.includes('://') ? reference : `docker://${reference}`);

/** "12s of CPU time, at most 1.5GiB of memory, ..."; what nobody counts is left out. */
export function usedWords(used: Statistics): string {
  const parts = [
    used.cpuMs === null ? undefined : `${formatDuration(used.cpuMs)} of CPU time`,
    used.memoryMaxBytes === null ? undefined : `at most ${formatBytes(used.memoryMaxBytes)} of memory`,
    pair(used.networkReceivedBytes, used.networkSentBytes, ['received', 'sent']),
    pair(used.blockReadBytes, used.blockWrittenBytes, ['read from disks', 'written']),
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

function pair(one: number | null, other: number | null, [first, second]: readonly [string, string]): string | undefined {
  return one === null || other === null ? undefined : `${formatBytes(one)} ${first} and ${formatBytes(other)} ${second}`;
}

/** How the latest image that was asked for of a session fares. */
export function commitWords({ image, state, message }: SessionCommit): string {
  return state === 'done' ? image : `${image} (${state === 'failed' ? 'failed' : 'being made'}: ${message})`;
}
