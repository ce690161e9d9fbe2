import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePrivateRange } from './addresses.js';
import { engine, engineVersion } from './engine-api.js';
import { engineChains, removeEngineChains, removeRules } from './firewall.js';
import { unmountBelow } from './mounts.js';
import { endProcesses, processes, until } from './processes.js';
import { run } from './run.js';

/** Podman's API service with storage, networks, locks and settings of its own. Needs root. */
export class PodmanService {
  /** @param {{ runFolder: string, dataRoot: string }} place */
  constructor(place) {
    this.place = place;
    this.host = `unix://${join(place.runFolder, 'podman.sock')}`;
  }

  #path(name) {
    return join(this.place.runFolder, name);
  }

  /** Of its default network: the first two parts of a /16. */
  get range() {
    return JSON.parse(readFileSync(this.#path('before.json'), 'utf8')).range;
  }

  async start() {
    if (await engineVersion(this.host)) return;
    mkdirSync(this.#path('networks'), { recursive: true });
    mkdirSync(this.place.dataRoot, { recursive: true });
    if (!existsSync(this.#path('before.json'))) {
      const range = freePrivateRange();
      writeFileSync(this.#path('before.json'), JSON.stringify({ chains: await engineChains(), range }));
      writeFileSync(this.#path('containers.conf'), settings(this.place.runFolder, range));
    }
    const log = openSync(this.#path('podman.log'), 'a');
    const child = spawn('podman', this.#args(), {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, CONTAINERS_CONF: this.#path('containers.conf') },
    });
    let failure;
    child.once('error', (error) => (failure = error)).once('exit', (code) => (failure ??= new Error(`it ended with ${code}`)));
    child.unref();
    const answers = await until(async () => failure !== undefined || (await engineVersion(this.host)) !== undefined, 30_000);
    if (failure !== undefined || !answers) {
      throw new Error(
        `Podman's service did not start: ${failure?.message ?? 'no answer'}\n${readFileSync(this.#path('podman.log'), 'utf8').slice(-2000)}`,
      );
    }
  }

  #args() {
    const store = [
      '--root',
      this.place.dataRoot,
      '--runroot',
      this.#path('run'),
      '--tmpdir',
      this.#path('tmp'),
      '--network-config-dir',
      this.#path('networks'),
    ];
    const machine = ['--cgroup-manager', 'cgroupfs', '--events-backend', 'file', '--runtime', 'runc'];
    return [...store, ...machine, 'system', 'service', '--time', '0', this.host];
  }

  /** Ends it and takes away what it has on the machine. Images stay. */
  async remove() {
    const bridges = await this.#bridges();
    const ours = processes((command) => command.includes(`${this.place.runFolder}/`) && /podman|conmon|dnsmasq/.test(command));
    await endProcesses(
      ours.map(({ pid }) => pid),
      10_000,
    );
    await unmountBelow(this.place.runFolder);
    await unmountBelow(this.place.dataRoot);
    for (const bridge of bridges) await run('ip', ['link', 'delete', bridge]);
    if (existsSync(this.#path('before.json'))) {
      const { chains, range } = JSON.parse(readFileSync(this.#path('before.json'), 'utf8'));
      await removeRules((rule) => rule.split(' ').some((word) => bridges.includes(word) || word.startsWith(`${range}.`)));
      await removeEngineChains('CNI-', chains);
    }
    rmSync(this.place.runFolder, { recursive: true, force: true });
  }

  async #bridges() {
    const networks = await engine(this.host, '/networks').catch(() => []);
    const names = networks.map(({ Options, Name }) => Options?.['com.docker.network.bridge.name'] ?? this.#interfaceOf(Name));
    return names.filter((name) => name !== undefined && existsSync(`/sys/class/net/${name}`));
  }

  #interfaceOf(network) {
    const file = join(this.#path('networks'), `${network}.conflist`);
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')).plugins?.find(({ bridge }) => bridge)?.bridge;
    return undefined;
  }
}

// File locks, because the shared-memory ones are shared with every other Podman of the machine; limits that a machine
// without CAP_SYS_RESOURCE can set.
const settings = (runFolder, range) => `[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]

[network]
default_subnet = "${range}.0.0/24"

[engine]
lock_type = "file"
tmp_dir = "${join(runFolder, 'tmp')}"
`;
