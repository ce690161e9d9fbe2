import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve as absolute } from 'node:path';
import { claim } from './claim.js';
import { canInstall, installPackages, missingPackages } from './apt.js';
import { DockerDaemon } from './docker-daemon.js';
import { copyImage, emptyEngine, engineVersion, imageId } from './engine-api.js';
import { freePrivateRange } from './addresses.js';
import { removeRangeRules } from './firewall.js';
import { ImageRegistry } from './image-registry.js';
import { node24 } from './node24.js';
import { PodmanService } from './podman-service.js';
import { endProcesses, processes, processesWithVariable } from './processes.js';
import { step } from './progress.js';
import { root } from './root.js';
import { must } from './run.js';
import { TestClusters } from './test-clusters.js';

const ENGINES = 'docker.io podman containernetworking-plugins runc conmon catatonit tini iptables iproute2 docker-registry';
const TOOLS = 'mmdebstrap python3 tmux procps git curl ca-certificates openssl xz-utils busybox';
const PACKAGES = `${ENGINES} ${TOOLS}`.split(' ');
/** Every process that a test starts inherits this variable: so the bed finds those that outlived their test. */
const BED = 'BERTH_TEST_BED';
const IMAGE = 'berth/base:latest';

/** What the tests run against: two Docker daemons, Podman, an image registry and two Kubernetes clusters, all of them ours alone. */
export class TestBed {
  constructor() {
    // Images survive here from run to run; everything else goes.
    this.cache = absolute(process.env.BERTH_TEST_CACHE ?? '/var/cache/berth-test');
    const mark = createHash('sha256').update(this.cache).digest('hex').slice(0, 6);
    this.runFolder = `/run/berth-test-${mark}`;
    /** Where the tests' temporary folders are: it goes as a whole. */
    this.temporary = join(tmpdir(), `berth-test-${mark}`);
    const daemon = (name) =>
      new DockerDaemon({ runFolder: join(this.runFolder, name), dataRoot: join(this.cache, name), bridge: `bt${mark}${name.slice(0, 2)}` });
    this.docker = daemon('docker');
    this.faultDocker = daemon('fault-docker');
    this.podman = new PodmanService({ runFolder: join(this.runFolder, 'podman'), dataRoot: join(this.cache, 'podman') });
    this.registry = new ImageRegistry(join(this.runFolder, 'registry'));
    this.clusters = new TestClusters(this.cache);
  }

  get #lock() {
    return join(this.runFolder, 'pid');
  }

  /** Where the note of the tests' session addresses lies: the firewall rules of their servers are known by them. */
  get #range() {
    return join(this.runFolder, 'range');
  }

  /** Folders for the sockets of servers that the tests killed, and whose data folders went. */
  get #sockets() {
    return join(this.runFolder, 'sockets.json');
  }

  /**
   * Installs, starts and fills everything; clusters only for tests that could use them. Answers the variables that tell the tests
   * where it is.
   * @param {readonly string[]} words which tests are meant: parts of their paths
   */
  async up(words) {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new Error('The tests start container engines of their own: run them on Linux as root. `npm run check` needs neither.');
    }
    this.#claim();
    this.clusters.choose(words);
    await step(
      'Debian packages',
      (say) => this.#install(say),
      (missing) => (missing.length === 0 ? 'present' : `installed ${missing.join(', ')}`),
    );
    await this.#removeEverything(); // what a run that was killed left behind
    this.#claim();
    await allOf([this.#startEngines(), this.clusters.start()]);
    await this.clusters.load(this.docker.host, IMAGE);
    writeFileSync(this.#range, freePrivateRange([this.podman.range]));
    writeFileSync(this.#sockets, JSON.stringify(socketFolders()));
    mkdirSync(this.temporary, { mode: 0o1777 });
    chmodSync(this.temporary, 0o1777);
    return this.#environment();
  }

  async #startEngines() {
    await step('Docker', () => this.docker.start());
    await step('Docker for the fault tests', () => this.faultDocker.start());
    await step('Podman', () => this.podman.start());
    await step(
      'image registry',
      () => this.registry.start(),
      () => this.registry.address,
    );
    await step('image berth/base', (say) => this.#image(say));
  }

  #claim() {
    claim(this.#lock, 'Other tests run on this machine: wait for them, or set BERTH_TEST_CACHE to another folder');
    this.claimed = true;
  }

  async #install(say) {
    const missing = await missingPackages(PACKAGES);
    if (missing.length > 0 && !canInstall())
      throw new Error(`These packages are missing and cannot be installed here: ${missing.join(', ')}`);
    if (missing.length > 0) await installPackages(missing, say);
    return missing;
  }

  async #image(say) {
    const hash = contentHash(['images/base', 'server/src/builds']);
    const note = join(this.cache, 'image-hash');
    const known = existsSync(note) ? readFileSync(note, 'utf8') : '';
    if (known !== hash || !(await imageId(this.docker.host, IMAGE))) {
      say('making it');
      await must(node24(), ['server/src/builds/make-builtin.ts', IMAGE], { env: { ...process.env, DOCKER_HOST: this.docker.host } });
      writeFileSync(note, hash);
    }
    const wanted = await imageId(this.docker.host, IMAGE);
    for (const host of [this.faultDocker.host, this.podman.host]) {
      say(`copying it to ${host}`);
      const id = await imageId(host, IMAGE);
      if (id?.replace('sha256:', '') !== wanted?.replace('sha256:', '')) await copyImage(this.docker.host, host, IMAGE);
    }
  }

  async #environment() {
    return {
      [BED]: this.runFolder,
      TMPDIR: this.temporary,
      // Hundreds of servers are started, and compiling is half of what each start costs.
      NODE_COMPILE_CACHE: join(this.cache, 'compiled'),
      BERTH_TEST_DOCKER: this.docker.host,
      BERTH_TEST_FAULT_DOCKER: this.faultDocker.host,
      BERTH_TEST_PODMAN: this.podman.host,
      BERTH_ADDRESS_RANGE: `${readFileSync(this.#range, 'utf8')}.0.0/16`,
      BERTH_TEST_REGISTRY: this.registry.address,
      BERTH_TEST_IMAGE: IMAGE,
      ...(await outsideAddress()),
      ...this.clusters.variables(IMAGE),
      DOCKER_HOST: this.docker.host,
    };
  }

  /** Ends and removes everything but the cached images. */
  async down() {
    if (!this.claimed) return;
    await step('taking the engines down', () => this.#removeEverything());
  }

  async #removeEverything() {
    await endProcesses(processesWithVariable(BED, this.runFolder), 10_000);
    // PostgreSQL servers know nothing of the variable, but work in the tests' folders.
    const inFolders = processes((command) => command.includes(`${this.temporary}/`));
    await endProcesses(
      inFolders.map(({ pid }) => pid),
      10_000,
    );
    for (const one of [this.docker, this.faultDocker, this.podman]) await empty(one);
    if (existsSync(this.#range)) await removeRangeRules(readFileSync(this.#range, 'utf8'));
    await this.clusters.remove();
    await this.registry.remove();
    await this.podman.remove();
    await this.faultDocker.remove();
    await this.docker.remove();
    if (existsSync(this.#sockets)) {
      const before = JSON.parse(readFileSync(this.#sockets, 'utf8'));
      for (const folder of socketFolders().filter((one) => !before.includes(one))) {
        if (!(await listens(join(folder, '.s.PGSQL.5432')))) rmSync(folder, { recursive: true, force: true });
      }
    }
    rmSync(this.temporary, { recursive: true, force: true });
    rmSync(this.runFolder, { recursive: true, force: true });
  }
}

/** Waits for all, also where one fails: nothing is taken down while it is being made. */
async function allOf(works) {
  const failed = (await Promise.allSettled(works)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** Somebody else's server, begun meanwhile, keeps its folder. */
const listens = (path) =>
  new Promise((resolve) => {
    const socket = connect(path, () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const socketFolders = () =>
  readdirSync('/run')
    .filter((name) => /^berth-[0-9a-f]{12}$/.test(name))
    .map((name) => join('/run', name));

/** An address on the Internet that answers: the package registry's, which every machine that got this far can reach. */
async function outsideAddress() {
  const { hostname, port, protocol } = new URL((await must('npm', ['config', 'get', 'registry', '--loglevel=silent'])).trim());
  const { address } = await lookup(hostname, { family: 4 });
  return { BERTH_TEST_OUTSIDE: `${address}:${port || (protocol === 'https:' ? 443 : 80)}` };
}

/** An engine that was killed has to run once more to let go of its containers. */
async function empty(one) {
  if (!existsSync(one.place.runFolder)) return;
  if (!(await engineVersion(one.host))) await one.start();
  await emptyEngine(one.host);
}

/** Changes when a file in one of the folders does. */
function contentHash(folders) {
  const hash = createHash('sha256');
  const add = (path) => {
    if (statSync(path).isDirectory())
      readdirSync(path)
        .sort()
        .forEach((name) => add(join(path, name)));
    else if (!path.endsWith('.test.ts')) hash.update(path.slice(root.length)).update(readFileSync(path));
  };
  for (const folder of folders) if (existsSync(join(root, folder))) add(join(root, folder));
  return hash.digest('hex');
}
