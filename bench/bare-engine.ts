import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import type { ContainerCreateOptions, NetworkCreateOptions } from 'dockerode';
import type { Bare, BareStart } from './ground.ts';

const LABEL = 'berth-bench.run';
/** Networks of the bare side: each start a /28 of this, as Berth takes them from its own range. */
const RANGE = { first: 10, second: 217, networks: 4096 };

/** Makes the container of a session once more, with nothing but the engine's own calls. */
export class BareEngine implements Bare {
  /** As Berth does: more only make each other slower. */
  readonly atOnce = 2 * availableParallelism();
  private readonly engine: Docker;
  private readonly container: ContainerCreateOptions;
  private readonly network: Omit<NetworkCreateOptions, 'Name'>;
  private readonly port: number | undefined;
  private readonly run = randomUUID();
  private next = Math.floor(Math.random() * RANGE.networks);

  private constructor(
    engine: Docker,
    made: { container: ContainerCreateOptions; network: Omit<NetworkCreateOptions, 'Name'> },
    port: number | undefined,
  ) {
    this.engine = engine;
    this.container = made.container;
    this.network = made.network;
    this.port = port;
  }

  /** The same configuration, host configuration and network settings, read back from a session's own; only names and addresses differ. */
  static async like(engine: Docker, session: { readonly id: string; readonly port: number | null }): Promise<BareEngine> {
    const [found] = await engine.listContainers({ all: true, filters: { label: [`berth.session=${session.id}`] } });
    if (found === undefined) throw new Error(`session ${session.id} has no container on this engine`);
    const { Config: config, HostConfig: host } = await engine.getContainer(found.Id).inspect();
    const [networkName = ''] = Object.keys(found.NetworkSettings.Networks);
    const network = await engine.getNetwork(networkName).inspect();
    return new BareEngine(
      engine,
      {
        // `Volumes` and `OnBuild` come from the image; the rest is what the session was created with.
        container: { ...config, HostConfig: host },
        network: {
          Driver: network.Driver,
          Internal: network.Internal,
          EnableIPv6: network.EnableIPv6,
          Options: network.Options ?? {},
          CheckDuplicate: true,
        },
      },
      session.port ?? undefined,
    );
  }

  async start(): Promise<BareStart> {
    const name = `berth-bench-${randomUUID()}`;
    const begun = performance.now();
    const elapsed = (): number => performance.now() - begun;
    const { id: networkId } = await this.engine.createNetwork({
      ...this.network,
      Name: name,
      Labels: this.labels(),
      // A bridge has one name on a machine, as each session's has.
      Options: { ...this.network.Options, 'com.docker.network.bridge.name': `bb${randomUUID().slice(0, 8)}` },
      IPAM: { Driver: 'default', Config: [this.subnet()] },
    });
    const container = await this.engine.createContainer({
      ...this.container,
      name,
      // As many labels as a session has, but none that Berth would take for its own.
      Labels: { ...renamed(this.container.Labels ?? {}), ...this.labels() },
      HostConfig: { ...this.container.HostConfig, NetworkMode: name },
      NetworkingConfig: { EndpointsConfig: { [name]: { Aliases: ['main1'] } } },
    });
    const create = elapsed();
    await container.start();
    const start = elapsed();
    await this.untilReady(container, name);
    const ready = elapsed();
    return {
      ready,
      steps: { create, start: start - create, ready: ready - start },
      seen: {},
      remove: () => this.remove(container.id, networkId),
    };
  }

  /** What Berth calls running: the process runs and, where there is one, its port answers. */
  private async untilReady(container: Docker.Container, network: string): Promise<void> {
    const { State: state, NetworkSettings: settings } = await container.inspect();
    if (!state.Running) throw new Error(`the bare container ended with ${state.ExitCode}: ${state.Error}`);
    const host = settings.Networks[network]?.IPAddress;
    if (this.port === undefined || host === undefined) return;
    while (!(await answers(host, this.port))) await delay(20);
  }

  private async remove(containerId: string, networkId: string): Promise<void> {
    await this.engine.getContainer(containerId).remove({ force: true, v: true });
    await this.engine.getNetwork(networkId).remove();
  }

  async dispose(): Promise<void> {
    const filters = { label: [`${LABEL}=${this.run}`] };
    const containers = await this.engine.listContainers({ all: true, filters });
    await Promise.all(containers.map(({ Id: id }) => this.engine.getContainer(id).remove({ force: true, v: true })));
    const networks = await this.engine.listNetworks({ filters });
    await Promise.all(networks.map(({ Id: id }) => this.engine.getNetwork(id).remove()));
  }

  private labels(): Record<string, string> {
    return { [LABEL]: this.run };
  }

  private subnet(): { Subnet: string; Gateway: string } {
    this.next = (this.next + 1) % RANGE.networks;
    const third = Math.floor(this.next / 16);
    const fourth = (this.next % 16) * 16;
    const prefix = `${RANGE.first}.${RANGE.second}.${third}`;
    return { Subnet: `${prefix}.${fourth}/28`, Gateway: `${prefix}.${fourth + 1}` };
  }
}

const renamed = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [name.replace(/^berth\./, 'berth-bench.'), value]));

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1_000 });
    const finish = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
  });
}
