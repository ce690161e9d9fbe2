import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createClient, type Client } from '@berth/contract';
import { expect } from 'vitest';
import { freePort } from '../support/berth-process.ts';
import type { DeployGround } from './deploy-ground.ts';

const READY = "jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name}{'\\n'}{end}";

/** The pods of the deployment, and a way to each that no Service chooses. */
export class Replicas {
  readonly #ground: DeployGround;
  readonly #token: string;
  readonly #forwards: ChildProcess[] = [];

  private constructor(ground: DeployGround, token: string) {
    this.#ground = ground;
    this.#token = token;
  }

  static async of(ground: DeployGround): Promise<Replicas> {
    const create = ['berth', 'token', 'create', `test-${Date.now()}`, '--expires', '1d'];
    const token = await ground.kubectl('exec', '--namespace', 'berth', 'deployment/berth', '--', ...create);
    return new Replicas(ground, token.trim());
  }

  /** Names of those that are ready, once these are as many as there should be. */
  async ready(): Promise<readonly [string, string]> {
    let names: string[] = [];
    const selector = '--selector=app.kubernetes.io/component=server';
    await expect
      .poll(
        async () => {
          names = (await this.#ground.kubectl('get', 'pods', '--namespace=berth', selector, `--output=${READY}`)).trim().split('\n');
          return names.length;
        },
        { timeout: 300_000, interval: 500 },
      )
      .toBe(2);
    const [first = '', second = ''] = names;
    return [first, second];
  }

  async client(pod: string): Promise<Client> {
    const port = await freePort();
    const forward = ['port-forward', '--namespace=berth', `pod/${pod}`, `${port}:4280`];
    const child = spawn('kubectl', forward, { env: this.#ground.kubectlEnvironment, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#forwards.push(child);
    await once(child.stdout, 'data');
    return createClient({ url: `http://127.0.0.1:${port}`, token: this.#token });
  }

  /** SIGKILL to its process; then its pod is taken away, so that none is started in its place there. */
  async kill(pod: string): Promise<void> {
    const place = '--output=jsonpath={.spec.nodeName} {.status.containerStatuses[0].containerID}';
    const [node = '', container = ''] = (await this.#ground.kubectl('get', 'pod', '--namespace=berth', pod, place)).split(' containerd://');
    await this.#ground.onNode(node, ['ctr', '--namespace', 'k8s.io', 'tasks', 'kill', '--signal', 'SIGKILL', container]);
    await this.#ground.kubectl('delete', 'pod', '--namespace=berth', pod, '--grace-period=0', '--force', '--wait=false');
  }

  close(): void {
    for (const child of this.#forwards) child.kill();
  }
}
