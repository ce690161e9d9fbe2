import { hostname } from 'node:os';
import { existsSync } from 'node:fs';
import type { EngineClient } from './engine-client.ts';

/** What the engine is and can do: asked, never assumed from its name alone. */
export interface EngineFacts {
  readonly kind: 'docker' | 'podman';
  /** "Docker 20.10.24 (API 1.41)" */
  readonly title: string;
  readonly hostName: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** As images name it: amd64, arm64. */
  readonly architecture: string;
  /** The engine runs on this very machine: its paths and addresses are ours. */
  readonly local: boolean;
  readonly rootless: boolean;
  readonly selinux: boolean;
  readonly nvidia: boolean;
  readonly liveRestore: boolean;
  /** Which request fails if no init program is installed; null: it is. Docker that does not know its version may have none. */
  readonly initFailsAt: 'create' | 'start' | null;
}

interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[];
}
interface Info {
  readonly Name: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Architecture: string;
  readonly DockerRootDir: string;
  readonly Rootless?: boolean;
  readonly SecurityOptions?: readonly string[] | null;
  readonly Runtimes?: Readonly<Record<string, unknown>>;
  readonly LiveRestoreEnabled?: boolean;
  readonly InitCommit?: { readonly ID?: string };
}

export async function askEngine(engine: EngineClient): Promise<EngineFacts> {
  const [version, info] = await Promise.all([
    engine.call('engine.info', async (docker): Promise<Version> => docker.version()),
    engine.call('engine.info', async (docker): Promise<Info> => docker.info()),
  ]);
  const podman = version.Components?.find((component) => component.Name === 'Podman Engine');
  const security = info.SecurityOptions ?? [];
  return {
    kind: podman === undefined ? 'docker' : 'podman',
    title: `${podman === undefined ? `Docker ${version.Version.split('+')[0]}` : `Podman ${podman.Version}`} (API ${version.ApiVersion})`,
    hostName: info.Name,
    cpus: info.NCPU,
    memoryBytes: info.MemTotal,
    architecture: ARCHITECTURES[info.Architecture] ?? info.Architecture,
    local: engine.address.socket !== null && info.Name === hostname() && existsSync(info.DockerRootDir),
    rootless: info.Rootless === true || security.includes('name=rootless'),
    selinux: security.includes('name=selinux'),
    nvidia: Object.hasOwn(info.Runtimes ?? {}, 'nvidia'),
    liveRestore: info.LiveRestoreEnabled === true,
    initFailsAt: podman !== undefined ? 'create' : info.InitCommit?.ID === 'N/A' ? 'start' : null,
  };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm', i686: '386' };
