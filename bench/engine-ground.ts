import { join } from 'node:path';
import Docker from 'dockerode';
import type { Session } from '@berth/contract';
import { BareEngine } from './bare-engine.ts';
import type { Goals, Ground } from './ground.ts';

const ROOT = join(import.meta.dirname, '..');

/** Docker or Podman at DOCKER_HOST, or at Docker's usual socket. */
export class EngineGround implements Ground {
  readonly word = 'engine';
  readonly goals: Goals = { one: 1.15, rate: 0.9, cpuMs: 20 };
  readonly environment = { BERTH_RUNTIME: 'docker' };
  private readonly engine = new Docker();

  async describe(): Promise<string> {
    const { Version: version, Platform: platform } = await this.engine.version();
    return `${platform?.Name ?? 'engine'} ${version}`.trim();
  }

  async holds(instance: string): Promise<boolean> {
    const filters = ofInstance(instance);
    const [containers, networks] = await Promise.all([
      this.engine.listContainers({ all: true, filters }),
      this.engine.listNetworks({ filters }),
    ]);
    return containers.length > 0 || networks.length > 0;
  }

  bareLike(session: Session): Promise<BareEngine> {
    return BareEngine.like(this.engine, session);
  }

  seen(): Readonly<Record<string, number>> {
    return {};
  }

  async dispose(instance: string | undefined): Promise<void> {
    if (instance === undefined) return;
    const filters = ofInstance(instance);
    const containers = await this.engine.listContainers({ all: true, filters });
    await Promise.all(containers.map(({ Id: id }) => this.engine.getContainer(id).remove({ force: true, v: true })));
    const networks = await this.engine.listNetworks({ filters });
    await Promise.all(networks.map(({ Id: id }) => this.engine.getNetwork(id).remove()));
    const { Volumes: volumes } = await this.engine.listVolumes({ filters });
    await Promise.all(volumes.map(({ Name: name }) => this.engine.getVolume(name).remove()));
    const { removeInstanceRules }: { removeInstanceRules: (instance: string) => Promise<void> } = await import(
      join(ROOT, 'scripts/firewall.js')
    );
    await removeInstanceRules(instance);
  }
}

const ofInstance = (instance: string) => ({ label: [`berth.instance=${instance}`] });
