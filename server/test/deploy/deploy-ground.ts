import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '../support/berth-process.ts';
import { TypedShell } from './typed-shell.ts';

const run = promisify(execFile);
const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));

/** An empty cluster, a clean checkout of HEAD, and a person who has both. */
export class DeployGround {
  readonly checkout: string;
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #tool: string;

  private constructor(folder: string, kubeconfig: string) {
    this.#folder = folder;
    this.checkout = join(folder, 'berth');
    this.kubeconfig = kubeconfig;
    this.#tool = process.env['BERTH_TEST_CLUSTER'] ?? '';
  }

  static async make(kubeconfig: string): Promise<DeployGround> {
    const ground = new DeployGround(await mkdtemp(join(tmpdir(), 'berth-deploy-')), kubeconfig);
    await mkdir(ground.checkout);
    const archive = `git -C '${REPOSITORY}' archive HEAD | tar --extract --directory '${ground.checkout}'`;
    await run('bash', ['-o', 'pipefail', '-c', archive]);
    await run('npm', ['ci', '--prefer-offline'], { cwd: ground.checkout, maxBuffer: 2 ** 26 });
    // The nodes of the test cluster see this machine's files: what the page makes in /srv goes with them.
    for (const node of await ground.#nodes()) await ground.onNode(node, ['mount', '-t', 'tmpfs', '-o', 'mode=755', 'berth-test', '/srv']);
    return ground;
  }

  /** With what the page's first block asks for, where a default of it does not do here. */
  async shell(): Promise<TypedShell> {
    const { LANG = 'C.UTF-8', BERTH_TEST_BED = '' } = process.env;
    const home = join(this.#folder, 'home');
    await mkdir(home);
    const env = {
      ...this.kubectlEnvironment,
      HOME: home,
      TERM: 'xterm-256color',
      LANG,
      BERTH_TEST_BED,
      DOCKER_HOST: process.env['BERTH_TEST_DOCKER'] ?? '',
      LOAD_IMAGES: `${this.#tool} load ${this.#cluster} -`,
      ON_NODE: `${this.#tool} sh ${this.#cluster}`,
      BASE: 'berth/base:latest',
      BERTH_PORT: String(await freePort()),
    };
    return TypedShell.open({ workFolder: this.checkout, notes: this.#folder, env });
  }

  async kubectl(...args: string[]): Promise<string> {
    return (await run('kubectl', args, { env: this.kubectlEnvironment, maxBuffer: 2 ** 26 })).stdout;
  }

  get kubectlEnvironment(): Readonly<Record<string, string>> {
    return { PATH: this.#path, KUBECONFIG: this.kubeconfig };
  }

  /** "Kind namespace/name" of all that is in the cluster, but for what the cluster itself writes about it. */
  async content(): Promise<readonly string[]> {
    const kinds = (await this.kubectl('api-resources', '--verbs=list', '--output=name')).trim().split('\n');
    const lasting = kinds.filter((kind) => !/^(events|leases|componentstatuses|endpointslices)\b/.test(kind));
    const each = '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
    const listed = await this.kubectl('get', lasting.join(','), '--all-namespaces', '--ignore-not-found', `--output=jsonpath=${each}`);
    const labels = await this.kubectl(
      'get',
      'nodes',
      '--output=jsonpath={range .items[*]}{.metadata.name}: {.metadata.labels}{"\\n"}{end}',
    );
    return [...listed.trim().split('\n'), ...labels.trim().split('\n')];
  }

  /** As root. */
  async onNode(node: string, command: readonly string[]): Promise<void> {
    await run(this.#tool, ['sh', this.#cluster, node, ...command]);
  }

  async close(): Promise<void> {
    for (const node of await this.#nodes()) await this.onNode(node, ['umount', '--lazy', '/srv']);
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #cluster(): string {
    return dirname(this.kubeconfig);
  }

  /** The cluster may have brought its kubectl along. */
  get #path(): string {
    return `${join(this.#cluster, 'bin/bin')}:${process.env['PATH'] ?? ''}`;
  }

  async #nodes(): Promise<readonly string[]> {
    return (await this.kubectl('get', 'nodes', '--output=jsonpath={.items[*].metadata.name}')).split(' ');
  }
}
