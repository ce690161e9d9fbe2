import type { ContainerCreateOptions, EndpointSettings, HostConfig } from 'dockerode';
import type { ContainerSpec } from '../runtime.ts';
import { LOGIN_SHELL } from '../login-shell.ts';
import { behindBootstrap, MEMORY } from './bootstrap.ts';
import { containerName, LABEL, volumeName } from './names.ts';

/** What the engine and the machine add to a wish. */
export interface Surroundings {
  readonly instance: string;
  readonly kind: 'docker' | 'podman';
  readonly network: string;
  /** Of the session's containers, by host name; null: the engine hands them out, and finds them by their names. */
  readonly addresses: ReadonlyMap<string, string> | null;
  /** Files of this machine to mount over the image's passwd and group; null: they are copied in afterwards. */
  readonly userFiles: { readonly passwd: string; readonly group: string } | null;
  readonly init: boolean;
  readonly cpus: number;
  /** Null leaves it to the engine: Podman takes a list of ours for the whole of its own. */
  readonly openFiles: number | null;
  readonly nvidia: boolean;
}

/** The one place that decides how a session's container is confined. */
export function toCreateOptions(spec: ContainerSpec, around: Surroundings): ContainerCreateOptions {
  return {
    name: containerName(spec.ref),
    Image: spec.imageDigest,
    ...commandOf(spec),
    Hostname: spec.hostname,
    User: `${spec.user.uid}:${spec.user.gid}`,
    WorkingDir: spec.workDir ?? spec.user.home,
    Env: Object.entries(environmentOf(spec)).map(([name, value]) => `${name}=${value}`),
    Labels: labelsOf(spec, around.instance),
    Tty: spec.tty,
    OpenStdin: spec.stdin !== 'closed',
    StdinOnce: spec.stdin === 'once',
    AttachStdin: spec.stdin !== 'closed',
    AttachStdout: true,
    AttachStderr: true,
    // A login bash ignores SIGTERM; the end of its terminal is what it listens to.
    ...(spec.tty ? { StopSignal: 'SIGHUP' } : {}),
    HostConfig: hostConfigOf(spec, around),
    NetworkingConfig: { EndpointsConfig: { [around.network]: endpointOf(spec, around) } },
  };
}

function commandOf(spec: ContainerSpec): Pick<ContainerCreateOptions, 'Entrypoint' | 'Cmd'> {
  if (spec.keepEntrypoint) return spec.command.length === 0 ? {} : { Cmd: [...spec.command] };
  const command = spec.command.length === 0 ? LOGIN_SHELL : spec.command;
  if (spec.bootstrapScript !== undefined) return behindBootstrap(command);
  const [program, ...rest] = command;
  return program === undefined ? {} : { Entrypoint: [program], Cmd: rest };
}

function environmentOf(spec: ContainerSpec): Record<string, string> {
  return {
    HOME: spec.user.home,
    USER: spec.user.name,
    LOGNAME: spec.user.name,
    ...(spec.tty ? { TERM: 'xterm-256color' } : {}),
    ...spec.env,
    // An image may ask for all GPUs; it gets those that were assigned.
    NVIDIA_VISIBLE_DEVICES: spec.limits.devices.length === 0 ? 'void' : spec.limits.devices.join(','),
  };
}

const labelsOf = (spec: ContainerSpec, instance: string): Record<string, string> => ({
  [LABEL.instance]: instance,
  [LABEL.session]: spec.ref.sessionId,
  [LABEL.generation]: String(spec.ref.generation),
  [LABEL.container]: spec.ref.container,
  [LABEL.owner]: spec.owner,
  [LABEL.project]: spec.project,
  [LABEL.egress]: spec.egress,
  ...(spec.peers !== undefined && { [LABEL.containers]: String(spec.peers.length + 1) }),
  ...(spec.bootstrapScript !== undefined && { [LABEL.bootstrap]: 'script' }),
});

function hostConfigOf(spec: ContainerSpec, around: Surroundings): HostConfig {
  const { limits } = spec;
  return {
    NetworkMode: around.network,
    ...hostNames(spec, around),
    Mounts: mountsOf(spec, around),
    ...(spec.bootstrapScript !== undefined && { Tmpfs: { [MEMORY]: 'rw,mode=1777,size=1m' } }),
    Init: around.init,
    Privileged: false,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges'],
    IpcMode: 'private',
    ShmSize: limits.sharedMemoryBytes,
    PidsLimit: limits.pids,
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    NanoCpus: Math.round(Math.min(limits.cpus, around.cpus) * 1e9),
    CpuShares: spec.reserved ? Math.min(Math.max(Math.round(limits.cpus * 1024), LOWEST_RESERVED_SHARE), 262_144) : UNRESERVED_SHARE,
    OomScoreAdj: spec.reserved ? RESERVED_OOM_SCORE : UNRESERVED_OOM_SCORE,
    LogConfig: { Type: 'json-file', Config: around.kind === 'docker' ? { 'max-size': '10m', 'max-file': '2' } : { 'max-size': '10m' } },
    RestartPolicy: { Name: 'no' },
    ...(around.openFiles === null ? {} : { Ulimits: [{ Name: 'nofile', Soft: around.openFiles, Hard: around.openFiles }] }),
    // Docker gives an endpoint without IPv6 no link-local address either; Podman does, and the host listens on its own.
    ...(around.kind === 'podman' ? { Sysctls: { 'net.ipv6.conf.all.disable_ipv6': '1', 'net.ipv6.conf.default.disable_ipv6': '1' } } : {}),
    ...(around.nvidia && limits.devices.length > 0
      ? { DeviceRequests: [{ Driver: 'nvidia', DeviceIDs: [...limits.devices], Capabilities: [['gpu']] }] }
      : {}),
  };
}

function endpointOf(spec: ContainerSpec, { addresses }: Surroundings): EndpointSettings {
  const address = addresses?.get(spec.ref.container);
  return { Aliases: [spec.ref.container], ...(address !== undefined && { IPAMConfig: { IPv4Address: address } }) };
}

function hostNames(spec: ContainerSpec, { addresses }: Surroundings): Pick<HostConfig, 'ExtraHosts'> {
  if (addresses === null) return {};
  return { ExtraHosts: [...addresses].filter(([name]) => name !== spec.ref.container).map(([name, address]) => `${name}:${address}`) };
}

const LOWEST_RESERVED_SHARE = 128;
const UNRESERVED_SHARE = 32;
const RESERVED_OOM_SCORE = 400;
/** The kernel takes these first when the machine's memory is short. */
export const UNRESERVED_OOM_SCORE = 1000;

function mountsOf(spec: ContainerSpec, around: Surroundings): NonNullable<HostConfig['Mounts']> {
  const file = (source: string, target: string) => ({ Type: 'bind' as const, Source: source, Target: target, ReadOnly: true });
  return [
    ...spec.mounts.map((mount) => ({
      Type: 'volume' as const,
      Source: volumeName(around.instance, mount.storage.name),
      Target: mount.target,
      ReadOnly: mount.readOnly,
      VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
    })),
    ...(around.userFiles === null ? [] : [file(around.userFiles.passwd, '/etc/passwd'), file(around.userFiles.group, '/etc/group')]),
  ];
}
