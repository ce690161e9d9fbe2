import { once } from 'node:events';
import type { ContainerRef, Terminal } from '../runtime.ts';
import type { ClusterClient } from './cluster-client.ts';
import { connectExec } from './exec-session.ts';
import { OPEN_GATE, signalCommand, stopSignalOf } from './gate.ts';
import { podName } from './names.ts';
import { terminalOf } from './stream-terminal.ts';
import { ClusterRefusal } from './errors.ts';

/** What is said to a container's main process from inside its pod, by its shell. */
export class ProcessSignals {
  readonly #client: ClusterClient;

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  /** Resolves as soon as it is open. False: nobody tells that it is. */
  async openGate(ref: ContainerRef): Promise<boolean> {
    const terminal = await this.#connect(ref, OPEN_GATE);
    if (terminal === undefined) return false;
    const { stdout, exited } = terminal;
    return Promise.race([once(stdout, 'data').then(() => true), exited.then((code) => code === 0)]);
  }

  /** False: nobody heard it. */
  async ask(ref: ContainerRef, tty: boolean): Promise<boolean> {
    return (await this.#run(ref, signalCommand(stopSignalOf({ tty })))) === 0;
  }

  async kill(ref: ContainerRef): Promise<boolean> {
    return (await this.#run(ref, signalCommand('KILL'))) === 0;
  }

  /** Its exit code; undefined where the process ended, and the connection with it, or where there is none to talk to. */
  async #run(ref: ContainerRef, command: readonly string[]): Promise<number | undefined> {
    const terminal = await this.#connect(ref, command);
    terminal?.stdout.resume();
    return terminal?.exited;
  }

  async #connect(ref: ContainerRef, command: readonly string[]): Promise<Terminal | undefined> {
    try {
      const socket = await connectExec(this.#client, podName(ref), { command, tty: false });
      const terminal = terminalOf({ socket, stdin: 'none', showsFailure: true });
      terminal.stderr.resume();
      return terminal;
    } catch (error) {
      if (error instanceof ClusterRefusal && error.kind !== 'unreachable') return undefined;
      throw error;
    }
  }
}
