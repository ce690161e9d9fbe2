import type { ImageInspectInfo } from 'dockerode';

/** What an image says of how it is to be run; the same words in its file and in an engine's answers. */
export interface ImageConfig {
  readonly Env?: readonly string[] | null | undefined;
  readonly Entrypoint?: readonly string[] | string | null | undefined;
  readonly Cmd?: readonly string[] | null | undefined;
  readonly WorkingDir?: string | undefined;
  readonly User?: string | undefined;
  readonly StopSignal?: string | undefined;
  readonly Labels?: Readonly<Record<string, string>> | null | undefined;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | null | undefined;
  readonly Volumes?: Readonly<Record<string, unknown>> | null | undefined;
}

/**
 * What an image that is made of a session says: what the session's own image says. An engine would write the container's
 * variables, labels and command into it, and with them what nobody meant to hand on.
 */
export function cleanConfig(image: Pick<ImageInspectInfo, 'Config'>): ImageConfig {
  const { Env, Entrypoint, Cmd, WorkingDir, User, StopSignal, Labels, ExposedPorts, Volumes }: ImageConfig = image.Config ?? {};
  const labels = Object.entries(Labels ?? {}).filter(([name]) => !name.startsWith('berth.'));
  const given = { Env, Entrypoint, Cmd, WorkingDir, User, StopSignal, Labels: Object.fromEntries(labels), ExposedPorts, Volumes };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => !isEmpty(value)));
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);

/** An image's own file, for one that has these layers. */
export function configFile(
  config: ImageConfig,
  layered: Pick<ImageInspectInfo, 'Architecture' | 'Os' | 'RootFS'>,
  created: Date,
): Readonly<Record<string, unknown>> {
  const layers = layered.RootFS.Layers ?? [];
  const at = created.toISOString();
  return {
    architecture: layered.Architecture,
    os: layered.Os,
    created: at,
    config,
    rootfs: { type: 'layers', diff_ids: layers },
    // One line for each layer, or others who read it complain.
    history: layers.map((_, index) => ({ created: at, created_by: index === layers.length - 1 ? 'berth session commit' : 'berth' })),
  };
}

/** The same as lines of a Dockerfile, for an import. */
export function importChanges(config: ImageConfig): readonly string[] {
  const { Env, Entrypoint, Cmd, WorkingDir, User, StopSignal, Labels, ExposedPorts, Volumes } = config;
  const names = (record: Readonly<Record<string, unknown>> | null | undefined): string[] => Object.keys(record ?? {});
  return [
    ...(Env ?? []).map((entry) => `ENV ${assignment(entry)}`),
    ...Object.entries(Labels ?? {}).map(([name, value]) => `LABEL ${assignment(`${name}=${value}`)}`),
    ...names(ExposedPorts).map((port) => `EXPOSE ${port}`),
    ...names(Volumes).map((path) => `VOLUME ${JSON.stringify([path])}`),
    ...(WorkingDir === undefined ? [] : [`WORKDIR ${WorkingDir}`]),
    ...(User === undefined ? [] : [`USER ${User}`]),
    ...(StopSignal === undefined ? [] : [`STOPSIGNAL ${StopSignal}`]),
    ...(Entrypoint === undefined || Entrypoint === null ? [] : [`ENTRYPOINT ${JSON.stringify([Entrypoint].flat())}`]),
    ...(Cmd === undefined || Cmd === null ? [] : [`CMD ${JSON.stringify(Cmd)}`]),
  ].filter((line) => !line.includes('\n'));
}

/** Quoted only where it must be: Podman takes quotes away, but nothing that stands for another character. */
function assignment(entry: string): string {
  const at = entry.indexOf('=');
  const [name, value] = [entry.slice(0, at), entry.slice(at + 1)];
  return /^[\w@%+:,./-]+$/.test(value) ? `${name}=${value}` : `${name}="${value.replaceAll(/["\\$]/g, String.raw`\$&`)}"`;
}
