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

/**
 * The trap is reached only where the program could not be executed: the shell then ends with 127 or 126. A bash ends without
 * a word of it, unless it is told to go on.
 */
const RUN = `
trap 'echo "$? $1" >/dev/termination-log' EXIT
shopt -s execfail 2>/dev/null
exec "$@"
exit`;

export const isFramed = (spec: ContainerSpec): boolean => isGated(spec) && spec.stdin === 'once' && !spec.tty;

/** The wrapper cannot know an image's entrypoint. */
export const isGated = (spec: ContainerSpec): boolean => !spec.keepEntrypoint;

/** The command behind the gate. */
export function gatedLaunch(spec: ContainerSpec): Launch {
  const script = `${WAIT}${isFramed(spec) ? UNFRAME : ''}${RUN}`.trim();
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

/** What the wrapper left in the termination message: the program is missing (127) or may not be executed (126). */
export function failureToExecute(
  terminationMessage: string | undefined,
): { readonly code: 126 | 127; readonly program: string } | undefined {
  const [, code, program] = /^(12[67]) ([^\n]*)\n?$/.exec(terminationMessage ?? '') ?? [];
  return program === undefined ? undefined : { code: code === '126' ? 126 : 127, program };
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
