import Docker from 'dockerode';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Ledger } from './ledger.ts';

const run = promisify(execFile);

interface EngineEvent {
  Type?: string;
  Action?: string;
  Actor?: { ID?: string; Attributes?: Record<string, string> };
}

export class EngineLedger implements Ledger {
  private readonly docker: Docker;
  private readonly alive = new Map<string, Set<string>>();
  private stream: NodeJS.ReadableStream | undefined;
  readonly violations: string[] = [];
  created = 0;

  constructor(host: string) {
    this.docker = new Docker({ socketPath: host.replace(/^unix:\/\//, '') });
  }

  /** Follows the engine's events; call again after the engine was restarted. */
  async follow(): Promise<void> {
    const stream = await this.docker.getEvents({
      filters: { type: ['container'], event: ['create', 'destroy'], label: ['berth.session'] },
    });
    this.stream = stream;
    let rest = '';
    stream.on('data', (data: Buffer) => {
      const lines = (rest + data.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.record(JSON.parse(line) as EngineEvent);
    });
    stream.on('error', () => undefined);
  }

  close(): void {
    if (this.stream !== undefined && 'destroy' in this.stream && typeof this.stream.destroy === 'function') this.stream.destroy();
  }

  private record({ Action, Actor }: EngineEvent): void {
    const labels = Actor?.Attributes ?? {};
    const key = `${labels['berth.session']} ${labels['berth.container']}`;
    const ids = this.alive.get(key) ?? new Set<string>();
    this.alive.set(key, ids);
    if (Action === 'destroy') ids.delete(Actor?.ID ?? '');
    if (Action !== 'create') return;
    this.created += 1;
    ids.add(Actor?.ID ?? '');
    if (ids.size > 1) this.violations.push(`${ids.size} containers of ${key} at once`);
  }

  /** Containers and networks. */
  async leftovers(instance: string, live: ReadonlySet<string>): Promise<readonly string[]> {
    const filters = { label: [`berth.instance=${instance}`] };
    const containers = await this.docker.listContainers({ all: true, filters });
    const networks = await this.docker.listNetworks({ filters });
    return [
      ...containers
        .filter(({ Labels }) => !live.has(Labels['berth.session'] ?? ''))
        .map(({ Names, State }) => `container ${Names.join()} (${State})`),
      ...networks.filter(({ Labels }) => !live.has(Labels?.['berth.session'] ?? '')).map(({ Name }) => `network ${Name}`),
    ];
  }

  async containersOf(sessionId: string): Promise<readonly Docker.ContainerInfo[]> {
    return this.docker.listContainers({ all: true, filters: { label: [`berth.session=${sessionId}`] } });
  }

  container(id: string): Docker.Container {
    return this.docker.getContainer(id);
  }
  get engine(): Docker {
    return this.docker;
  }

  /** Firewall rules on this machine that carry the installation's comment. */
  static async firewallRules(instance: string): Promise<readonly string[]> {
    const { stdout } = await run('iptables-save');
    return stdout.split('\n').filter((line) => line.includes(`berth:${instance}`));
  }
}
