import { becomeCommand, runScript } from '../bootstrap-step.ts';
import { LOGIN_SHELL } from '../login-shell.ts';
import type { ContainerSpec } from '../runtime.ts';

/** A folder in memory, in every pod. */
export const BERTH_FOLDER = '/run/berth';

/**
 * Where a gated container's main process says its id, at the gate already. A signal to it leaves the cluster's view of the pod
 * whole, with exit code and log; after a deadline, kubelets of 1.20 tell neither.
 */
const PROCESS_ID = `${BERTH_FOLDER}/pid`;

/** What a container runs, in the manifest's words. */
export interface Launch {
  readonly command?: string[];
  readonly args?: string[];
}

/**
 * The process waits until the gate is opened, so that clients are attached before its first byte. The pipe is held open at
 * both ends before `go` is looked at: an opener who comes too early for the one is seen by the other.
 */
const WAIT = `
echo $$ >${PROCESS_ID}
if mkfifo ${BERTH_FOLDER}/gate 2>/dev/null; then
  exec 3<>${BERTH_FOLDER}/gate
  [ -e ${BERTH_FOLDER}/go ] || read -r _ <&3
  exec 3<&-
fi`;

export const GATE_OPEN = 'open\n';
/** Opening twice, or before the process has come to its gate, is as good: a pipe opened both ways never blocks. Says that it is open. */
export const OPEN_GATE: readonly string[] = [
  '/bin/sh',
  '-c',
  `: >${BERTH_FOLDER}/go && { [ ! -p ${BERTH_FOLDER}/gate ] || echo go 1<>${BERTH_FOLDER}/gate; } && echo open`,
];

/** From framed standard input (stdin-framing.ts) to what was meant. dd, unlike head, never reads on into the next length. */
export const DECODE_STDIN =
  'while IFS= read -r size && [ "$size" != 0 ]; do dd bs="$size" count=1 iflag=fullblock 2>/dev/null || break; done';

/** The decoder is a grandchild: the command gets no child that it did not make itself. */
const UNFRAME = `
mkfifo ${BERTH_FOLDER}/in
exec 3<&0
( { ${DECODE_STDIN}; } <&3 3<&- >${BERTH_FOLDER}/in 2>/dev/null & )
exec <${BERTH_FOLDER}/in 3<&-`;

/** Where the kubelet reads what a container has to say of its end. */
const LAST_WORDS = '/dev/termination-log';

/** The script is a file of the pod's secret. */
export const BOOTSTRAP = { folder: '/run/berth-bootstrap', file: 'script' } as const;
/** The last words of a container that did not come to its command. */
const UNFINISHED = 'bootstrap';
const BOOTSTRAPPED = `${BERTH_FOLDER}/bootstrapped`;

/** Whoever kills it in the middle leaves the last words as they are. */
const BOOTSTRAP_STEP = `
echo ${UNFINISHED} >${LAST_WORDS}${runScript(`${BOOTSTRAP.folder}/${BOOTSTRAP.file}`)}
echo >${BOOTSTRAPPED} || exit
true >${LAST_WORDS}`;

/** Succeeds once the bootstrap script has. */
export const IS_BOOTSTRAPPED: readonly string[] = ['/bin/sh', '-c', `[ -e ${BOOTSTRAPPED} ]`];

/** Whether a container ended before its command began; its last words say so. */
export const endedInBootstrap = (terminationMessage: string | undefined): boolean => terminationMessage?.trim() === UNFINISHED;

export const isFramed = (spec: ContainerSpec): boolean => isGated(spec) && spec.stdin === 'once' && !spec.tty;

/** The wrapper cannot know an image's entrypoint. */
export const isGated = (spec: ContainerSpec): boolean => !spec.keepEntrypoint;

/** The command behind the gate. */
export function gatedLaunch(spec: ContainerSpec): Launch {
  const bootstrap = spec.bootstrapScript === undefined ? '' : BOOTSTRAP_STEP;
  const script = `${WAIT}${bootstrap}${isFramed(spec) ? UNFRAME : ''}${becomeCommand(LAST_WORDS)}`.trim();
  return { command: ['/bin/sh', '-c', script, 'sh'].map(escaped), args: programOf(spec).map(escaped) };
}

/** The command itself, or what is to be handed to the image's entrypoint. */
export function plainLaunch(spec: ContainerSpec): Launch {
  if (spec.keepEntrypoint) return spec.command.length === 0 ? {} : { args: spec.command.map(escaped) };
  return { command: programOf(spec).map(escaped) };
}

/** What a gated container would run without its gate. */
export const withoutGate = (launch: { readonly args?: readonly string[] }): Launch => ({ command: [...(launch.args ?? [])] });

/** The program that a container was to run, and its arguments; empty where the image decides. */
export function programIn(launch: { readonly command?: readonly string[]; readonly args?: readonly string[] }): readonly string[] {
  const gated = launch.command !== undefined && launch.args !== undefined;
  return ((gated ? launch.args : launch.command) ?? []).map((word) => word.replaceAll('$$', '$'));
}

/** Signals the main process of a gated container, at the gate or past it; ends with another code than 0 where it is gone. */
export const signalCommand = (signal: 'TERM' | 'HUP' | 'KILL'): readonly string[] => [
  '/bin/sh',
  '-c',
  `read -r pid <${PROCESS_ID} && kill -${signal} "$pid"`,
];

/** A login shell ignores SIGTERM; the end of its terminal is what it listens to. */
export const stopSignalOf = ({ tty }: { readonly tty: boolean }): 'TERM' | 'HUP' => (tty ? 'HUP' : 'TERM');

/** For those who end a pod without us: before the kubelet's SIGTERM, all that is in a terminal's pod hears that it hangs up. */
export const HANG_UP: readonly string[] = ['/bin/sh', '-c', 'kill -HUP -1'];

const programOf = (spec: ContainerSpec): readonly string[] => (spec.command.length === 0 ? LOGIN_SHELL : spec.command);

/** The kubelet puts variables for "$(NAME)" in commands and values; "$$" is one "$" to it. */
export const escaped = (text: string): string => text.replaceAll('$', '$$$$');
