import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeError } from '../runtime.ts';
import {
  addressIn,
  candidates,
  formatAddress,
  formatSubnet,
  halves,
  overlaps,
  parseSubnet,
  prefixFor,
  SESSION_PREFIX,
  subnetOf,
  type Subnet,
} from './address-range.ts';
import type { EngineClient } from './engine-client.ts';
import type { EngineFacts } from './engine-facts.ts';
import { EngineRefusal } from './errors.ts';
import { defaultMtu, hostRoutes } from './host-network.ts';
import { bridgeOfSession, bridgeOfSubnet, LABEL, networkName } from './names.ts';
import { runProgram } from './run-program.ts';

/** How a session's containers get a network. One step of `create`, replaceable as a whole. */
export interface SessionNetworks {
  /** Answers the name of the session's network, which then exists, with room for so many containers. */
  ensure(sessionId: string, egress: 'open' | 'none', containers?: number): Promise<string>;
  /** Addresses for the containers of a session, where the engine does not look their names up; else undefined. */
  addresses(sessionId: string, containers: number): Promise<readonly string[] | undefined>;
  /** Makes an address of it reachable from this machine, where the engine leaves that out. */
  reach(address: string): Promise<void>;
  /** Nothing happens while containers still use it. */
  remove(sessionId: string): Promise<void>;
  list(): Promise<readonly { readonly sessionId: string }[]>;
}

interface Settings {
  readonly engine: EngineClient;
  readonly instance: string;
  readonly addressRange: string;
  readonly facts: () => Promise<EngineFacts>;
}

interface NewNetwork {
  readonly subnet: Subnet;
  readonly sealed: boolean;
  readonly mtu: number | undefined;
  readonly bridge: string;
}
const UNEXPLAINED_REFUSALS = 30;

/** A user bridge with a /28 of its own per session. */
export class BridgeNetworks implements SessionNetworks {
  readonly #settings: Settings;
  readonly #ranges: { readonly open: Subnet; readonly sealed: Subnet };
  readonly #removals = new Map<string, Promise<void>>();
  readonly #ensuring = new Map<string, Promise<string>>();

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#ranges = halves(parseSubnet(settings.addressRange));
  }

  ensure(sessionId: string, egress: 'open' | 'none', containers = 1): Promise<string> {
    const under =
      this.#ensuring.get(sessionId) ?? this.#ensure(sessionId, egress, containers).finally(() => this.#ensuring.delete(sessionId));
    this.#ensuring.set(sessionId, under);
    return under;
  }

  async #ensure(sessionId: string, egress: 'open' | 'none', containers: number): Promise<string> {
    await this.#removals.get(sessionId);
    // The bridges of a local engine are this machine's: its routes and MTU count.
    const { local, kind } = await this.#settings.facts();
    const taken = local ? (await hostRoutes()).map((route) => route.subnet).filter((subnet) => subnet.prefix > 0) : [];
    const mtu = local ? await defaultMtu() : undefined;
    const range = egress === 'none' ? this.#ranges.sealed : this.#ranges.open;
    const prefix = prefixFor(containers);
    for (const subnet of candidates(range, sessionId, prefix)) {
      if (taken.some((other) => overlaps(other, subnet))) continue;
      const bridge = kind === 'podman' ? bridgeOfSubnet(subnet) : bridgeOfSession(sessionId);
      const foreign = await this.#createUnlessTaken(sessionId, { subnet, sealed: egress === 'none', mtu, bridge });
      if (foreign === undefined) return networkName(sessionId);
      taken.push(...foreign);
    }
    throw new RuntimeError('retry', {
      code: 'rejected',
      message: `no free /${prefix} is left for a session in ${formatSubnet(range)}`,
      remedy: 'Configure a larger address range, or end sessions.',
    });
  }

  /** Undefined: the session has its network, made here or by another server. Else what is in use, this subnet with it. */
  async #createUnlessTaken(sessionId: string, network: NewNetwork): Promise<readonly Subnet[] | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#create(sessionId, network);
        return undefined;
      } catch (error) {
        if (!(error instanceof EngineRefusal)) throw error;
        if (await this.#isOurs(sessionId)) return undefined;
        // Engines word and number "subnet in use" differently: ask what is in use.
        const inUse = await this.#subnetsInUse();
        if (inUse.some((other) => overlaps(other, network.subnet))) return inUse;
        // Refused and nobody to be seen: another server is just making it.
        if (attempt === UNEXPLAINED_REFUSALS) throw new RuntimeError('retry', error.failure, { cause: error });
        await delay(100);
      }
    }
  }

  async #create(sessionId: string, network: NewNetwork): Promise<void> {
    const gateway = formatAddress(network.subnet.base + 1);
    await this.#settings.engine.call('engine.network-create', (docker) =>
      docker.createNetwork({
        Name: networkName(sessionId),
        CheckDuplicate: true,
        Driver: 'bridge',
        Internal: network.sealed,
        EnableIPv6: false,
        IPAM: { Driver: 'default', Config: [{ Subnet: formatSubnet(network.subnet), Gateway: gateway }] },
        Options: {
          ...(network.mtu === undefined ? {} : { 'com.docker.network.driver.mtu': String(network.mtu) }),
          'com.docker.network.bridge.name': network.bridge,
        },
        Labels: { [LABEL.instance]: this.#settings.instance, [LABEL.session]: sessionId },
      }),
    );
  }

  /** Podman looks names up only with a plug-in of its own. */
  async addresses(sessionId: string, containers: number): Promise<readonly string[] | undefined> {
    const { kind } = await this.#settings.facts();
    if (kind !== 'podman' || containers === 1) return undefined;
    const network = await this.#settings.engine.find('engine.network-inspect', (docker) =>
      docker.getNetwork(networkName(sessionId)).inspect(),
    );
    const range = network?.IPAM?.Config?.[0]?.Subnet;
    if (range === undefined) return undefined;
    return Array.from({ length: containers }, (_, rank) => addressIn(parseSubnet(range), rank));
  }

  /** Podman gives the bridge of an internal network no address: packets to it would leave by the default route. */
  async reach(address: string): Promise<void> {
    const { local, kind } = await this.#settings.facts();
    if (kind !== 'podman' || !local || process.getuid?.() !== 0 || !overlaps(this.#ranges.sealed, parseSubnet(address))) return;
    const bridge = bridgeOfSubnet(subnetOf(address));
    if (networkInterfaces()[bridge]?.some((entry) => entry.family === 'IPv4') === true) return;
    const gateway = formatSubnet({ base: subnetOf(address).base + 1, prefix: SESSION_PREFIX });
    const answer = await runProgram('engine.network-create', ['ip', 'addr', 'replace', gateway, 'dev', bridge]);
    if (answer.code !== 0) {
      throw new RuntimeError('retry', {
        code: 'rejected',
        message: `no route to the session's network: ${answer.output.trim()}`,
        remedy: 'Look at "ip addr".',
      });
    }
  }

  async #isOurs(sessionId: string): Promise<boolean> {
    const found = await this.#settings.engine.find('engine.network-inspect', (docker) =>
      docker.getNetwork(networkName(sessionId)).inspect(),
    );
    return found?.Labels?.[LABEL.instance] === this.#settings.instance;
  }

  async #subnetsInUse(): Promise<Subnet[]> {
    const networks = await this.#settings.engine.call('engine.network-list', (docker) => docker.listNetworks());
    const texts = networks.flatMap((network) => network.IPAM?.Config ?? []).map((config) => config.Subnet);
    return texts.flatMap((text) => (text === undefined || text.includes(':') ? [] : [parseSubnet(text)]));
  }

  /** One that began earlier may have come too early: another container was still there. */
  remove(sessionId: string): Promise<void> {
    const earlier = this.#removals.get(sessionId) ?? Promise.resolve();
    const removal: Promise<void> = earlier
      .catch(() => undefined)
      .then(() => this.#remove(sessionId))
      .finally(() => {
        if (this.#removals.get(sessionId) === removal) this.#removals.delete(sessionId);
      });
    this.#removals.set(sessionId, removal);
    return removal;
  }

  async #remove(sessionId: string): Promise<void> {
    if (this.#ensuring.has(sessionId)) return;
    if (await this.#isOurs(sessionId)) {
      try {
        await this.#settings.engine.call('engine.network-remove', (docker) => docker.getNetwork(networkName(sessionId)).remove());
      } catch (error) {
        // 403 (Docker), 409 (newer) and 500 (Podman) for one in use: then it is needed, or the next sweep finds it.
        if (error instanceof EngineRefusal) return;
        throw error;
      }
    }
    await this.#removeBridge(sessionId);
  }

  /** Docker takes a bridge that a failed attempt of its own left for somebody else's, uses it, and leaves it behind. */
  async #removeBridge(sessionId: string): Promise<void> {
    const bridge = bridgeOfSession(sessionId);
    const { local } = await this.#settings.facts();
    if (local && process.getuid?.() === 0 && existsSync(`/sys/class/net/${bridge}`))
      await runProgram('engine.network-remove', ['ip', 'link', 'delete', bridge]);
  }

  async list(): Promise<readonly { readonly sessionId: string }[]> {
    const filters = { label: [`${LABEL.instance}=${this.#settings.instance}`] };
    const networks = await this.#settings.engine.call('engine.network-list', (docker) => docker.listNetworks({ filters }));
    return networks.flatMap((network) => {
      const sessionId = network.Labels?.[LABEL.session];
      return sessionId === undefined ? [] : [{ sessionId }];
    });
  }
}
