import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import { engineVersion } from './engine-api.js';

const uid = () => process.getuid?.() ?? 0;
const runtimeFolder = () => process.env.XDG_RUNTIME_DIR ?? `/run/user/${uid()}`;

/** Docker's sockets, root's and the user's, then Podman's. */
const usualSockets = () => [
  '/var/run/docker.sock',
  join(runtimeFolder(), 'docker.sock'),
  join(homedir(), '.docker/run/docker.sock'),
  '/run/podman/podman.sock',
  join(runtimeFolder(), 'podman/podman.sock'),
];

/** Why nobody answers at a socket: a code such as EACCES, or 'silent' when somebody takes the connection and says nothing. */
function reasonOfSilence(path) {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', ({ code }) => resolve(code));
    socket.once('connect', () => {
      socket.destroy();
      resolve('silent');
    });
  });
}

const described = (version) => {
  const podman = version.Components?.find(({ Name }) => Name === 'Podman Engine');
  return podman ? `Podman ${podman.Version}` : `Docker ${version.Version}`;
};

async function tcpVersion(host) {
  try {
    return await (await fetch(`${host.replace(/^tcp:/, 'http:')}/version`, { signal: AbortSignal.timeout(5_000) })).json();
  } catch {
    return undefined;
  }
}

/**
 * The engine to use: DOCKER_HOST, then `recorded` (one that a quickstart started before), then the usual sockets.
 * Answers { host, name }, or undefined where there is none; throws for one that is there and may not be used.
 */
export async function findEngine(recorded) {
  const asked = process.env.DOCKER_HOST;
  if (asked) {
    const version = asked.startsWith('unix:') ? await engineVersion(asked) : await tcpVersion(asked);
    if (version === undefined)
      throw new Error(`DOCKER_HOST is ${asked}, and no engine answers there. Start it, or unset DOCKER_HOST to have one looked for.`);
    return { host: asked, name: described(version) };
  }
  const sockets = [...(recorded === undefined ? [] : [recorded.replace('unix://', '')]), ...usualSockets()].filter((path) =>
    existsSync(path),
  );
  const closed = [];
  for (const path of sockets) {
    const version = await engineVersion(`unix://${path}`);
    if (version !== undefined) return { host: `unix://${path}`, name: described(version) };
    if ((await reasonOfSilence(path)) === 'EACCES') closed.push(path);
  }
  if (closed.length > 0) throw new Error(notAllowed(closed[0]));
  return undefined;
}

const notAllowed = (path) =>
  `The engine behind ${path} does not let you in. Join its group and sign in again:\n\n    sudo usermod --append --groups docker "$USER"\n`;

/** What to type where no engine is there and none can be installed without asking. */
export function howToGetAnEngine() {
  const any = 'Then run this again: npm run quickstart';
  if (process.platform === 'darwin')
    return `No container engine answers. Install and start one:\n\n    brew install podman && podman machine init && podman machine start\n\n${any}`;
  if (existsSync('/usr/bin/podman'))
    return `Podman is installed, but its socket is not open. Open it:\n\n    systemctl --user enable --now podman.socket\n\n${any}`;
  if (existsSync('/usr/bin/apt-get')) {
    return `No container engine answers. Install one and sign in again:\n\n    sudo apt-get install --yes docker.io && sudo usermod --append --groups docker "$USER"\n\n${any}`;
  }
  const dnf = existsSync('/usr/bin/dnf') ? 'sudo dnf install --assumeyes podman && systemctl --user enable --now podman.socket' : undefined;
  return dnf === undefined
    ? `No container engine answers. Install Docker (20.10 or newer) or Podman (4.3 or newer) and start it. ${any}`
    : `No container engine answers. Install one:\n\n    ${dnf}\n\n${any}`;
}
