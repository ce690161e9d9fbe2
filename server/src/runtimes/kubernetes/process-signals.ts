import { outcomeOf } from '../outcome-of.ts';
import { RuntimeError, type ContainerRef, type Terminal } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { connectExec } from './exec-session.ts';
import { GATE_OPEN, OPEN_GATE, signalCommand, stopSignalOf } from './gate.ts';
import { podName } from './names.ts';
import { terminalOf } from './stream-terminal.ts';
import { ClusterRefusal } from './errors.ts';

const LIMITS = { withinMs: 20_000, mostBytes: 4096 };
const isOpen = (told: string): boolean => told.includes(GATE_OPEN);

/** What is said to a container's main process from inside its pod, by its shell. */
export class ProcessSignals {
  readonly #client: ClusterClient;

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  /** Resolves as soon as it is open. False: nobody tells that it is. Throws RuntimeError where the shell says nothing at all. */
  async openGate(ref: ContainerRef): Promise<boolean> {
    const terminal = await this.#connect(ref, OPEN_GATE);
    if (terminal === undefined) return false;
    const outcome = await outcomeOf(terminal, { ...LIMITS, isEnough: isOpen });
    if (outcome === undefined) throw shellSilent(ref);
    return isOpen(outcome.told) || outcome.exitCode === 0;
  }

  /** False: nobody heard it. */
  async ask(ref: ContainerRef, tty: boolean): Promise<boolean> {
    return (await this.#run(ref, signalCommand(stopSignalOf({ tty })))) === 0;
  }

  async kill(ref: ContainerRef): Promise<boolean> {
    return (await this.#run(ref, signalCommand('KILL'))) === 0;
  }

  /**
   * Its exit code; undefined where the process ended, and the connection with it, or where there is none to talk to. A shell
   * that says nothing has not heard it either: there are other ways to end a pod, and it must end.
   */
  async #run(ref: ContainerRef, command: readonly string[]): Promise<number | undefined> {
    const terminal = await this.#connect(ref, command);
    return terminal && (await outcomeOf(terminal, LIMITS))?.exitCode;
  }

  async #connect(ref: ContainerRef, command: readonly string[]): Promise<Terminal | undefined> {
    try {
      const socket = await connectExec(this.#client, podName(ref), { command, tty: false });
      return terminalOf({ socket, stdin: 'none', showsFailure: true });
    } catch (error) {
      if (error instanceof ClusterRefusal && error.kind !== 'unreachable') return undefined;
      throw error;
    }
  }
}

const shellSilent = ({ container }: ContainerRef): RuntimeError =>
  new RuntimeError('retry', {
    code: 'start-failed',
    message: `the shell (/bin/sh) of the container ${container} did not answer within ${LIMITS.withinMs / 1000} s, so its command was not let run`,
    remedy: 'Its node may be overloaded: it is tried again. If it stays so, look at what the image has for /bin/sh.',
  });
