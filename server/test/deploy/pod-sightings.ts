import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { DeployGround } from './deploy-ground.ts';

const FIELDS = ['labels.berth\\.session', 'labels.berth\\.generation', 'labels.berth\\.container', 'uid'];

/** Every pod of a session that there ever was, also for a moment. */
export class PodSightings {
  /** Of a session: "GENERATION CONTAINER UID". */
  readonly pods = new Map<string, Set<string>>();
  readonly #watch: ChildProcess;

  constructor(ground: DeployGround) {
    const output = `jsonpath=${FIELDS.map((field) => `{.metadata.${field}}`).join(' ')}{"\\n"}`;
    const watch = ['get', 'pods', '--namespace=berth-sessions', '--selector=berth.session', '--watch', `--output=${output}`];
    const child = spawn('kubectl', watch, { env: ground.kubectlEnvironment, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#watch = child;
    createInterface(child.stdout).on('line', (line) => {
      const [session = '', ...pod] = line.split(' ');
      this.pods.set(session, (this.pods.get(session) ?? new Set()).add(pod.join(' ')));
    });
  }

  /** Sessions that had more than one pod. */
  get doubled(): readonly string[] {
    return [...this.pods].filter(([, pods]) => pods.size > 1).map(([session, pods]) => `${session}: ${[...pods].join(', ')}`);
  }

  /** Nothing was missed so far. */
  get complete(): boolean {
    return this.#watch.exitCode === null;
  }

  close(): void {
    this.#watch.kill();
  }
}
