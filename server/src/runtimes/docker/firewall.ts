import { RuntimeError } from '../runtime.ts';
import type { EngineFacts } from './engine-facts.ts';
import { chainNames, chainRules, jumps, ruleComment, TABLES, type RuleSettings, type Table } from './firewall-rules.ts';
import { resolvers } from './host-network.ts';
import { runProgram, type Answer } from './run-program.ts';

interface Settings {
  readonly instance: string;
  readonly addressRange: string;
  readonly egressAllow: readonly string[];
}

/**
 * An isolated network does not protect the host: a service on 0.0.0.0 answers at every address the host has. Where this
 * server may, it keeps two chains of its own; where not, `notices` says so.
 */
export class Firewall {
  readonly #settings: Settings;
  #notice: string | undefined;
  #ensured = false;
  #ensuring: Promise<void> = Promise.resolve();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  notices(): readonly string[] {
    return this.#notice === undefined ? [] : [this.#notice];
  }

  /** Unless it was done by this process already: list() repeats it every minute. */
  async ensureOnce(facts: EngineFacts): Promise<void> {
    if (!this.#ensured) await this.ensure(facts);
  }

  /** Idempotent, and the same after a kill at any moment: chains are replaced whole, jumps are put where they are missing. */
  ensure(facts: EngineFacts): Promise<void> {
    const next = this.#ensuring.then(() => this.#ensure(facts));
    this.#ensuring = next.catch(() => undefined);
    return next;
  }

  async #ensure(facts: EngineFacts): Promise<void> {
    const obstacle = (await obstacleTo(facts)) ?? (await this.#keepRules(facts));
    this.#ensured = true;
    this.#notice = obstacle === undefined ? undefined : `no firewall rules: ${obstacle}; sessions can reach services of this host`;
  }

  /** A failure is told with the node, and does not keep the sweep from its other work. */
  async #keepRules(facts: EngineFacts): Promise<string | undefined> {
    try {
      const plain = { ...this.#settings, resolvers: await resolvers() };
      const settings = await this.#replaceChains(plain, 'filter');
      for (const [hook, rule] of jumps(settings, await forwardHooks(facts))) await ensureFirst('filter', hook, rule);
      if (!(await isUsable('security'))) return undefined;
      await this.#replaceChains(plain, 'security');
      for (const [hook, rule] of jumps(settings, ['FORWARD'])) await ensureFirst('security', hook, rule);
      return undefined;
    } catch (error) {
      if (error instanceof RuntimeError) return error.message;
      throw error;
    }
  }

  async #replaceChains(plain: Omit<RuleSettings, 'bridged'>, table: Table): Promise<RuleSettings> {
    for (const bridged of [true, false]) {
      const settings = { ...plain, bridged };
      const answer = await run('iptables-restore', ['-w', '--noflush'], chainRules(settings, table));
      if (answer.code === 0) return settings;
      if (!bridged) throw failed('iptables-restore', answer);
    }
    throw new Error('unreachable');
  }
}

/** Takes every rule and chain of this installation away; nothing happens where there is none. */
export async function removeFirewall(instance: string): Promise<void> {
  for (const table of TABLES) await removeFrom(table, instance);
}

async function removeFrom(table: Table, instance: string): Promise<void> {
  const saved = await run('iptables-save', ['-t', table]);
  if (saved.code !== 0) return;
  const { input, forward } = chainNames(instance);
  const ours = saved.output.split('\n').filter((line) => line.includes(ruleComment(instance)));
  const leading = ours.filter((line) => line.startsWith('-A ') && !line.startsWith(`-A ${input} `) && !line.startsWith(`-A ${forward} `));
  const chains = [input, forward].filter((chain) => saved.output.includes(`\n:${chain} `));
  if (leading.length === 0 && chains.length === 0) return;
  const script = [
    `*${table}`,
    ...leading.map((line) => line.replace(/^-A/, '-D')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ];
  const answer = await run('iptables-restore', ['-w', '--noflush'], script.join('\n'));
  if (answer.code !== 0) throw failed('iptables-restore', answer);
}

async function obstacleTo(facts: EngineFacts): Promise<string | undefined> {
  if (!facts.local) return 'the engine is on another machine';
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  return (await run('iptables', ['-w', '-S', 'INPUT'])).code === 0 ? undefined : 'iptables is not installed or not usable';
}

/** Docker leaves DOCKER-USER to us. Podman's plugins put theirs before anything in FORWARD, but ask CNI-ADMIN first. */
async function forwardHooks(facts: EngineFacts): Promise<readonly string[]> {
  if (facts.kind === 'docker') return (await exists('DOCKER-USER')) ? ['DOCKER-USER'] : ['FORWARD'];
  if (!(await exists('CNI-ADMIN'))) await mustRun('iptables', ['-w', '-N', 'CNI-ADMIN']);
  return ['CNI-ADMIN', 'FORWARD'];
}

const exists = async (chain: string): Promise<boolean> => (await run('iptables', ['-w', '-S', chain])).code === 0;

/** Not every kernel has every table. */
const isUsable = async (table: Table): Promise<boolean> => (await run('iptables', ['-w', '-t', table, '-S', 'FORWARD'])).code === 0;

/** In a hook, ours come before what others allow. */
async function ensureFirst(table: Table, hook: string, rule: readonly string[]): Promise<void> {
  if ((await run('iptables', ['-w', '-t', table, '-C', hook, ...rule])).code === 0) return;
  await mustRun('iptables', ['-w', '-t', table, '-I', hook, '1', ...rule]);
}

async function mustRun(program: string, args: readonly string[]): Promise<void> {
  const answer = await run(program, args);
  if (answer.code !== 0) throw failed(`${program} ${args.join(' ')}`, answer);
}

const run = (program: string, args: readonly string[], input?: string): Promise<Answer> =>
  runProgram('engine.firewall', [program, ...args], input);

const failed = (what: string, answer: Answer): RuntimeError =>
  new RuntimeError('retry', {
    code: 'rejected',
    message: `${what} failed: ${answer.output.trim()}`,
    remedy: 'Look at "iptables -S"; it is tried again every minute.',
  });
