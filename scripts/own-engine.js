import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, missingPackages } from './apt.js';
import { DockerDaemon } from './docker-daemon.js';

const PACKAGES = ['docker.io', 'iptables', 'iproute2', 'tini', 'ca-certificates'];

/** A Docker daemon beside the data folder, for machines that have no engine. Its whereabouts are noted in the data folder. */
export class OwnEngine {
  /** @param {{ dataFolder: string, images?: string }} place `images`: where images lie, when not in the data folder */
  constructor({ dataFolder, images }) {
    const mark = createHash('sha256')
      .update(images ?? dataFolder)
      .digest('hex')
      .slice(0, 8);
    this.note = join(dataFolder, 'engine.json');
    this.daemon = new DockerDaemon({
      runFolder: `/run/berth-engine-${mark}`,
      dataRoot: images ?? join(dataFolder, 'docker'),
      bridge: `berth${mark}`,
    });
  }

  get recorded() {
    return existsSync(this.note);
  }

  get host() {
    return this.daemon.host;
  }

  /** Installs Docker where it is missing, starts a daemon apart from every other and notes it. */
  async start(say) {
    const missing = await missingPackages(PACKAGES);
    if (missing.length > 0) await installPackages(missing, say);
    say('starting dockerd');
    await this.daemon.start();
    mkdirSync(join(this.note, '..'), { recursive: true, mode: 0o700 });
    writeFileSync(this.note, JSON.stringify({ ...this.daemon.place, host: this.host }));
  }
}

/** The engine that a quickstart noted in this data folder, started again if it sleeps. Undefined where it noted none. */
export async function recordedEngine(dataFolder) {
  const note = join(dataFolder, 'engine.json');
  if (!existsSync(note)) return undefined;
  const { host, ...place } = JSON.parse(readFileSync(note, 'utf8'));
  await new DockerDaemon(place).start();
  return host;
}
