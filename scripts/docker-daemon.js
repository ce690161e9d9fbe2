import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defaultMtu, freePrivateRange } from './addresses.js';
import { engine, engineVersion } from './engine-api.js';
import { engineChains, keepingRules, removeEngineChains, removeRules } from './firewall.js';
import { unmountBelow } from './mounts.js';
import { endProcesses, isAlive, processes, signal, until } from './processes.js';
import { must, run } from './run.js';

const START_MS = 60_000;
const IP_FORWARD = '/proc/sys/net/ipv4/ip_forward';

/**
 * A dockerd of our own: data, sockets, bridge and addresses apart from every other one on the machine. Needs root.
 * Everything about it is in `runFolder`/daemon.json, so that another process, or the next boot, finds it by its folder.
 */
export class DockerDaemon {
  /** @param {{ runFolder: string, dataRoot: string, bridge: string }} place short paths: a socket's is at most 107 bytes */
  constructor(place) {
    this.place = place;
    this.host = `unix://${join(place.runFolder, 'docker.sock')}`;
  }

  get #file() {
    return join(this.place.runFolder, 'daemon.json');
  }

  get #log() {
    return join(this.place.runFolder, 'dockerd.log');
  }

  #notes() {
    return existsSync(this.#file) ? JSON.parse(readFileSync(this.#file, 'utf8')) : undefined;
  }

  /** The process, if it runs. */
  get pid() {
    const file = join(this.place.runFolder, 'docker.pid');
    const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
    return pid > 0 && isAlive(pid) ? pid : undefined;
  }

  /** Starts it and waits until it answers; nothing happens when it does already. */
  async start() {
    if (this.pid !== undefined && (await engineVersion(this.host))) return;
    const { runFolder, dataRoot } = this.place;
    mkdirSync(runFolder, { recursive: true, mode: 0o711 });
    mkdirSync(dataRoot, { recursive: true, mode: 0o711 });
    const notes = this.#notes() ?? { ...this.place, range: freePrivateRange(), before: await this.#lookAround() };
    writeFileSync(this.#file, JSON.stringify(notes));
    await this.#makeBridge(notes);
    // With forwarding on, dockerd leaves the policy of the FORWARD chain as it is.
    writeFileSync(IP_FORWARD, '1');
    rmSync(join(runFolder, 'docker.pid'), { force: true });
    await keepingRules(() => this.#launchAgain(notes));
  }

  /** A containerd that finds frozen containers of a killed one may need longer than dockerd waits; its next start finds them settled. */
  async #launchAgain(notes, tries = 3) {
    try {
      await this.#launch(notes);
    } catch (error) {
      if (tries <= 1) throw error;
      await this.#launchAgain(notes, tries - 1);
    }
  }

  async #launch(notes) {
    const log = openSync(this.#log, 'a');
    const child = spawn('dockerd', this.#args(notes), {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    const ended = new Promise((resolve) =>
      child.once('error', resolve).once('exit', (code) => resolve(new Error(`it ended with ${code}`))),
    );
    child.unref();
    let failure;
    void ended.then((error) => (failure = error));
    const answers = await until(async () => failure !== undefined || (await engineVersion(this.host)) !== undefined, START_MS);
    if (failure !== undefined || !answers)
      throw new Error(`dockerd did not start: ${failure?.message ?? `no answer within ${START_MS / 1000} s`}\n${this.logTail()}`);
  }

  #args({ range }) {
    const { runFolder, dataRoot, bridge } = this.place;
    const own = [
      '--data-root',
      dataRoot,
      '--exec-root',
      join(runFolder, 'exec'),
      '--pidfile',
      join(runFolder, 'docker.pid'),
      '-H',
      this.host,
    ];
    const network = ['--bridge', bridge, '--mtu', String(defaultMtu()), '--default-address-pool', `base=${range}.128.0/17,size=26`];
    // Where the system's containerd runs, dockerd uses it; a namespace of its own keeps the two Dockers' containers apart.
    return [
      ...own,
      ...network,
      '--containerd-namespace',
      bridge,
      '--containerd-plugins-namespace',
      `${bridge}-plugins`,
      '--log-level',
      'warn',
    ];
  }

  async #lookAround() {
    return { chains: await engineChains(), ipForward: readFileSync(IP_FORWARD, 'utf8').trim() };
  }

  async #makeBridge({ range }) {
    const { bridge } = this.place;
    if (!existsSync(`/sys/class/net/${bridge}`)) await must('ip', ['link', 'add', bridge, 'type', 'bridge']);
    await run('ip', ['address', 'replace', `${range}.0.1/24`, 'dev', bridge]);
    await must('ip', ['link', 'set', bridge, 'mtu', String(defaultMtu()), 'up']);
  }

  logTail(lines = 15) {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim().split('\n').slice(-lines).join('\n') : '';
  }

  /** As the system does at shutdown: containers are stopped, the daemon ends. */
  async stop() {
    const { pid } = this;
    if (pid !== undefined) await endProcesses([pid], 40_000);
  }

  /** As a crash does: SIGKILL to the daemon alone; its containers run on, until `start` finds them. */
  async kill() {
    const { pid } = this;
    if (pid === undefined) return;
    const containerd = Number(readFileSync(join(this.place.runFolder, 'exec/containerd/containerd.pid'), 'utf8'));
    signal(pid, 'SIGKILL');
    // Its containerd ends a moment after it; a dockerd that starts meanwhile takes the dying one for its own, and fails.
    await until(() => !isAlive(pid) && !isAlive(containerd), 10_000);
  }

  /** Ends it and takes away what it has on the machine: processes, mounts, bridges, firewall rules, sockets. Data stay. */
  async remove() {
    const notes = this.#notes();
    const bridges = await this.#bridges();
    await this.stop();
    const ours = processes((command) => command.includes(`${this.place.runFolder}/`) && /containerd|dockerd|docker-proxy/.test(command));
    await endProcesses(
      ours.map(({ pid }) => pid),
      5_000,
    );
    await unmountBelow(this.place.runFolder);
    await unmountBelow(this.place.dataRoot);
    for (const bridge of bridges) await run('ip', ['link', 'delete', bridge]);
    if (notes !== undefined) await this.#cleanFirewall(notes, bridges);
    rmSync(this.place.runFolder, { recursive: true, force: true });
  }

  /** Our own bridge, and those of the networks made on this daemon. */
  async #bridges() {
    const networks = this.pid === undefined ? [] : await engine(this.host, '/networks').catch(() => []);
    const made = networks.filter(({ Driver, Name }) => Driver === 'bridge' && Name !== 'bridge');
    const names = made.map(({ Id, Options }) => Options?.['com.docker.network.bridge.name'] ?? `br-${Id.slice(0, 12)}`);
    return [this.place.bridge, ...names].filter((name) => existsSync(`/sys/class/net/${name}`));
  }

  async #cleanFirewall({ before, range }, bridges) {
    const dead = (name) => /^(?:br-|bth)[0-9a-f]{12}$/.test(name) && !existsSync(`/sys/class/net/${name}`);
    await removeRules((rule) => {
      const words = rule.split(' ');
      return words.some((word) => word === this.place.bridge || bridges.includes(word) || word.startsWith(`${range}.`) || dead(word));
    });
    const others = processes((command) => /(^|\/)dockerd( |$)/.test(command));
    if (others.length > 0) return;
    await removeEngineChains('DOCKER', before.chains);
    if (before.ipForward === '0') writeFileSync(IP_FORWARD, '0');
  }
}

/** The daemon that answers at this address, for stopping, killing and starting it: only one that was made here. */
export function daemonAt(host) {
  const runFolder = dirname(host.replace(/^unix:\/\//, ''));
  const { dataRoot, bridge } = JSON.parse(readFileSync(join(runFolder, 'daemon.json'), 'utf8'));
  return new DockerDaemon({ runFolder, dataRoot, bridge });
}
