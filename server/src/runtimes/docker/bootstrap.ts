import type { ContainerInspectInfo } from 'dockerode';
import { becomeCommand, failureToExecute, runScript } from '../bootstrap-step.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { outcomeOf } from '../outcome-of.ts';
import { RuntimeError } from '../runtime.ts';
import type { EngineClient } from './engine-client.ts';
import { execIn, type Log } from './exec-session.ts';
import { LABEL } from './names.ts';
import { tarOf, textOfTar } from './tar.ts';

/** In the container itself, the user's alone: what is here outlives its processes. */
const FOLDER = '/run/berth-bootstrap';
/** In memory: empty whenever the container starts. */
export const MEMORY = '/run/berth';

/** Handed over before each start; whoever hands it over late hands it to nobody. */
const SCRIPT = `${FOLDER}/script`;
/** There while the script has not succeeded, and where it never did. */
const TAKEN = `${FOLDER}/taken`;
const BOOTSTRAPPED = `${MEMORY}/bootstrapped`;
/** Of the archive that holds it. All in the folder is the user's: what is larger is nothing that the launch wrote. */
const COMPLAINTS_MOST_BYTES = 16 * 1024;
/** Everybody who looks at the session waits for it. */
const LOOK_LIMITS = { withinMs: 3000, mostBytes: 4096 };
const COMPLAINTS = `${FOLDER}/not-executed`;

const LAUNCH = `
if ! mv ${SCRIPT} ${TAKEN} 2>/dev/null; then
  echo 'this container was started without its bootstrap script: start the session by Berth' >&2
  echo >${TAKEN}
  exit 1
fi${runScript(TAKEN)}
echo >${BOOTSTRAPPED} || exit
rm -f ${TAKEN}${becomeCommand(COMPLAINTS)}`.trim();

/** The command behind its bootstrap script. */
export const behindBootstrap = (command: readonly string[]): { Entrypoint: string[]; Cmd: string[] } => ({
  Entrypoint: ['/bin/sh'],
  Cmd: ['-c', LAUNCH, 'sh', ...command],
});

export const isBootstrapLaunch = (script: string | undefined): boolean => script === LAUNCH;
export const runsBootstrap = (container: ContainerInspectInfo): boolean => container.Config.Labels[LABEL.bootstrap] !== undefined;

/** What an ended container tells of its bootstrap script, and of its command after that. */
export interface BootstrapEvidence {
  readonly unfinished: boolean;
  /** The exit code a shell has for a command that could not be executed, and that command. */
  readonly notExecuted: ReturnType<typeof failureToExecute>;
}

/** Bootstrap scripts of containers: never part of what the engine tells about them. */
export class Bootstraps {
  readonly #engine: EngineClient;
  readonly #log: Log;
  /** Start times of those that are past it, by container. */
  readonly #past = new Map<string, string>();
  readonly #looks = new OneAtATime<boolean>();

  constructor(engine: EngineClient, log: Log) {
    this.#engine = engine;
    this.#log = log;
  }

  /** To a container that does not run. */
  async handOver(container: ContainerInspectInfo, script: string): Promise<void> {
    const [uid, gid] = container.Config.User.split(':').map(Number);
    const owner = { uid: uid ?? 0, gid: gid ?? 0, mode: 0o700 };
    const tar = await tarOf([
      // runc gives what it mounts the mode of what is below: from the second start on a folder of root's, else.
      { name: `${MEMORY.slice(1)}/`, type: 'directory', mode: 0o1777 },
      { name: `${FOLDER.slice(1)}/`, type: 'directory', ...owner },
      { name: SCRIPT.slice(1), content: script, ...owner },
    ]);
    await this.#engine.call('engine.bootstrap-put', (docker) => docker.getContainer(container.Id).putArchive(tar, { path: '/' }));
  }

  /** Of a running container; asked of its inside until it is past it. */
  async isAtWork(container: ContainerInspectInfo): Promise<boolean> {
    const { Id, State } = container;
    if (!runsBootstrap(container) || this.#past.get(Id) === State.StartedAt) return false;
    if (!(await this.#looks.run(Id, () => this.#isPast(container)))) return true;
    this.#past.set(Id, State.StartedAt);
    return false;
  }

  /** A shell that sleeps, or is frozen, says that it is not. */
  async #isPast(container: ContainerInspectInfo): Promise<boolean> {
    try {
      const look = { command: ['/bin/sh', '-c', `[ -e ${BOOTSTRAPPED} ]`], tty: null };
      return (await outcomeOf(execIn(this.#engine, container, look, this.#log), LOOK_LIMITS))?.exitCode === 0;
    } catch (error) {
      // It has ended or was frozen just now: the next look tells.
      if (error instanceof RuntimeError && error.kind !== 'unreachable') return false;
      throw error;
    }
  }

  forget(id: string): void {
    this.#past.delete(id);
  }
}

/** Of one that has ended. */
export async function bootstrapEvidence(engine: EngineClient, container: ContainerInspectInfo): Promise<BootstrapEvidence> {
  const { Id: id, State: state } = container;
  const taken = await engine.find('engine.container-archive', (docker) => docker.getContainer(id).infoArchive({ path: TAKEN }));
  const suspicious = state.ExitCode === 126 || state.ExitCode === 127;
  const complaints =
    suspicious && (await engine.find('engine.container-archive', (docker) => docker.getContainer(id).getArchive({ path: COMPLAINTS })));
  return {
    unfinished: taken !== undefined,
    notExecuted: failureToExecute(complaints ? await textOfTar(complaints, COMPLAINTS_MOST_BYTES) : undefined),
  };
}
