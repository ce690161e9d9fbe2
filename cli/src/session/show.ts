import { formatBytes, formatDuration, type Session } from '@berth/contract';
import type { Context, Define } from '../command.ts';
import type { Io } from '../io.ts';
import { plainText } from '../output/plain-text.ts';
import { printTable } from '../output/table.ts';
import {
  age,
  callbackWords,
  causeWords,
  commitWords,
  imageWords,
  reservedWords,
  stateWords,
  stepName,
  usedWords,
  waitingWords,
} from '../output/words.ts';

export const define: Define = (command, run) => {
  command
    .argument('<session>', 'id, beginning of an id, or name')
    .action((session: string) => run((context) => showSession(session, context)));
};

export async function showSession(name: string, context: Context): Promise<number> {
  const { client } = await context.connect();
  const session = await client.getSession({ params: { session: name } });
  if (context.json || context.quiet) {
    context.io.stdout.write(`${context.json ? JSON.stringify(session) : session.id}\n`);
    return 0;
  }
  const facts = factsOf(session, context.io.now());
  const width = Math.max(...facts.map(([title]) => title.length));
  for (const [title, value] of facts) context.io.stdout.write(`${title.padEnd(width)}  ${plainText(value)}\n`);
  showContainers(session, context.io);
  showTimeline(session, context.io);
  showLastLog(session, context.io);
  return 0;
}

function factsOf(session: Session, now: Date): [string, string][] {
  const { resources } = session;
  const shared = resources.sharedMemoryBytes === null ? '' : `, ${formatBytes(resources.sharedMemoryBytes)} shared memory`;
  const devices = resources.devices.length > 0 ? `, devices ${resources.devices.join(' ')}` : '';
  const optional: [string, string | undefined][] = [
    ['Why', session.cause?.message === session.reason ? undefined : session.reason || undefined],
    ['Result', session.result ?? undefined],
    ['Waiting for', session.waiting ? waitingWords(session.waiting) : undefined],
    ['Cause', session.cause ? causeWords(session.cause) : undefined],
    ['Command', session.command.length > 0 ? session.command.map(quoted).join(' ') : 'a login shell'],
    ['Storages', session.mounts.map(mountWords).join(', ') || undefined],
    ['Node', session.node ?? undefined],
    ['Containers', session.clusterSize === 1 ? undefined : `${session.clusterSize}, ${CLUSTERS[session.clusterMode]}`],
    ['Port', session.port === null ? undefined : String(session.port)],
    ['Services', session.servicePorts.map(({ name, port, protocol }) => `${name} ${port}/${protocol}`).join(', ') || undefined],
    ['Bootstrap', session.bootstrap ? 'a script runs before its command' : undefined],
    ['Architecture', session.architecture ?? undefined],
    ['Tag', session.tag ?? undefined],
    ['Starts at', session.startsAt ?? undefined],
    ['Follows', session.dependencies.map(({ name, state, result }) => `${name} (${result ?? state})`).join(', ') || undefined],
    ['May run for', session.batchTimeoutMs === null ? undefined : formatDuration(session.batchTimeoutMs)],
    ['If interrupted', session.retry ? 'its command is run again' : undefined],
    ['Restarts', session.restarts > 0 ? String(session.restarts) : undefined],
    ['Used', session.statistics === null ? undefined : usedWords(session.statistics) || undefined],
    ['Image of it', session.commit === null ? undefined : commitWords(session.commit)],
    ['Callback', session.callback === null ? undefined : callbackWords(session.callback, now)],
    ['Will be stopped', session.willStopAt === null ? undefined : `at ${session.willStopAt}, to give its memory back`],
    ['Ended', session.endedAt === null ? undefined : `${session.endedAt} (${age(session.endedAt, now)} ago)`],
  ];
  return [
    ['Id', session.id],
    ['Name', session.name],
    ['Owner', `${session.owner.name} (project ${session.project.name})`],
    ['Type', session.type],
    ['State', `${stateWords(session)}, for ${age(session.stateSince, now)}`],
    ['Image', `${imageWords(session.image.reference)}${session.image.digest ? ` (${session.image.digest})` : ''}`],
    ['Resources', `${reservedWords(session) ?? 'nothing reserved: may be killed when memory is short'}${shared}${devices}`],
    ['Network', session.egress === 'none' ? 'none' : 'Internet'],
    ['Created', `${session.createdAt} (${age(session.createdAt, now)} ago)`],
    ...optional.filter((fact): fact is [string, string] => fact[1] !== undefined),
  ];
}

const mountWords = ({ storage, target, readOnly }: Session['mounts'][number]): string =>
  `${storage.name} at ${target}${readOnly ? ' (read-only)' : ''}`;

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`);

const CLUSTERS = { 'single-node': 'all on one node', 'multi-node': 'each wherever there is room' } as const;

function showContainers({ clusterSize, containers }: Session, io: Io): void {
  if (clusterSize === 1) return;
  io.stdout.write('\nContainers\n');
  const rows = containers.map(({ name, node, state, exitCode, reason }) => {
    const code = exitCode === null || reason !== null ? '' : `exit ${exitCode}`;
    return [`  ${name}`, state, node ?? '-', reason ?? code];
  });
  printTable(['  NAME', 'STATE', 'NODE', 'WHY'], rows, io.stdout);
}

function showTimeline({ timeline }: Session, io: Io): void {
  if (timeline.length === 0) return;
  io.stdout.write('\nLaunch\n');
  const rows = timeline.map(({ step, startedAt, endedAt, detail }) => {
    const ms = (endedAt === null ? io.now().getTime() : Date.parse(endedAt)) - Date.parse(startedAt);
    return [`  ${stepName(step)}`, startedAt, `${formatDuration(Math.max(0, ms))}${endedAt === null ? ' so far' : ''}`, detail ?? ''];
  });
  printTable(['  STEP', 'STARTED', 'TOOK', 'DETAIL'], rows, io.stdout);
}

function showLastLog({ lastLog }: Session, io: Io): void {
  if (lastLog.length === 0) return;
  io.stdout.write('\nLast lines it printed\n');
  for (const line of lastLog) io.stdout.write(`  ${plainText(line)}\n`);
}
