import { access, readdir } from 'node:fs/promises';
import { runTool } from './run-tool.ts';

/** Where this machine's apt gets Debian from, for another release of it. */
export interface DebianSources {
  /** Content of a deb822 file; undefined where apt knows no Debian archive: mmdebstrap then uses its own default. */
  readonly deb822: string | undefined;
  /** Settings of this machine's apt that fetching depends on. */
  readonly aptOptions: readonly string[];
}

const FETCH_SETTINGS = ['Acquire::http::Proxy', 'Acquire::https::Proxy', 'Acquire::Check-Valid-Until'];

export async function debianSources(suite: string, signal: AbortSignal): Promise<DebianSources> {
  if (!(await hasApt())) return { deb822: undefined, aptOptions: [] };
  const targets = await runTool(['apt-get', 'indextargets', '--format', '$(LABEL)|$(COMPONENT)|$(REPO_URI)', 'Created-By: Packages'], {
    signal,
  });
  const archive = archiveOf(targets.stdout, 'Debian');
  const security = archiveOf(targets.stdout, 'Debian-Security');
  const rolling = suite === 'sid' || suite === 'unstable';
  const stanzas = [
    ...(archive === undefined ? [] : [stanza(archive, rolling ? suite : `${suite} ${suite}-updates`, await keyring())]),
    ...(archive === undefined || security === undefined || rolling ? [] : [stanza(security, `${suite}-security`, await keyring())]),
  ];
  return { deb822: stanzas.length === 0 ? undefined : stanzas.join('\n'), aptOptions: await fetchSettings(signal) };
}

function archiveOf(targets: string, label: string): string | undefined {
  const rows = targets.split('\n').map((line) => line.split('|'));
  return rows.find(([owner, component]) => owner === label && component === 'main')?.[2];
}

function stanza(uri: string, suites: string, signedBy: string): string {
  return `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: ${signedBy}\n`;
}

/** Its suffix changed from .gpg to .pgp with Debian 13. */
async function keyring(): Promise<string> {
  const folder = '/usr/share/keyrings';
  const names = await readdir(folder).catch(() => []);
  return `${folder}/${names.find((name) => name.startsWith('debian-archive-keyring.')) ?? 'debian-archive-keyring.gpg'}`;
}

async function fetchSettings(signal: AbortSignal): Promise<readonly string[]> {
  const dump = await runTool(['apt-config', 'dump', '--format', '%f "%v";%n', ...FETCH_SETTINGS], { signal });
  return dump.stdout.split('\n').filter((line) => FETCH_SETTINGS.some((name) => line.startsWith(`${name} "`)) && !line.endsWith('"";'));
}

export const hasApt = (): Promise<boolean> =>
  access('/usr/bin/apt-get').then(
    () => true,
    () => false,
  );
