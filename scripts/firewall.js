import { existsSync } from 'node:fs';
import { isRouted } from './addresses.js';
import { must, run } from './run.js';

const FAMILIES = ['iptables', 'ip6tables'];

/** @typedef {{ family: string, table: string, chains: string[], rules: string[] }} Table */

/** Every table that is in use, with the chains that programs made and all rules, as `iptables-save` writes them. */
export async function readFirewall() {
  const tables = [];
  for (const family of FAMILIES) {
    const { code, output } = await run(`${family}-save`, []);
    if (code !== 0) continue; // not installed, or a kernel without this family: then there is nothing to clean
    for (const line of output.split('\n')) {
      if (line.startsWith('*')) tables.push({ family, table: line.slice(1), chains: [], rules: [] });
      // Chains of the kernel's own have a policy; those that somebody made have a dash.
      else if (/^:\S+ - /.test(line)) tables.at(-1).chains.push(line.slice(1).split(' ')[0]);
      else if (line.startsWith('-A ')) tables.at(-1).rules.push(line);
    }
  }
  return tables;
}

async function apply({ family, table }, lines) {
  if (lines.length > 0)
    await must(`${family}-restore`, ['--noflush', '--wait', '5'], { input: `*${table}\n${lines.join('\n')}\nCOMMIT\n` });
}

const deletions = (rules) => rules.map((rule) => `-D ${rule.slice(3)}`);

/** Applies what `linesFor` answers for each table. Anew when somebody else changed the rules between looking and doing. */
async function change(linesFor) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const table of await readFirewall()) await apply(table, linesFor(table));
      return;
    } catch (error) {
      if (attempt === 5) throw error;
    }
  }
}

/** Deletes each rule that `isOurs` accepts; the rule comes as `iptables-save` writes it. */
export const removeRules = (isOurs) => change(({ rules }) => deletions(rules.filter((rule) => isOurs(rule))));

const engineChain = /^(DOCKER|CNI-)/;
/** Those that a starting dockerd empties; DOCKER-USER it leaves to its users. */
const emptiedChain = /^(DOCKER(?!-USER)|CNI-)/;
const namesTraffic = / (?:-[io] (?!lo\b)|-[sd] (?!127\.|224\.|::1|240\.))/;

const interfacesOf = (rule) => [...rule.matchAll(/ -[io] (\S+)/g)].map(([, name]) => name);

/**
 * Runs `start`, during which a dockerd empties the chains that all Dockers of a machine share, and puts back what it took
 * from the others: their published ports and the isolation of their networks.
 */
export async function keepingRules(start) {
  const before = await readFirewall();
  const result = await start();
  await change((now) => {
    const { rules = [], chains = [] } = before.find(({ family, table }) => family === now.family && table === now.table) ?? {};
    const lost = rules.filter(
      (rule) => emptiedChain.test(rule.slice(3)) && !now.rules.includes(rule) && now.chains.includes(rule.split(' ')[1]),
    );
    // Meanwhile their owner may have taken away what they speak of.
    const isGone = (chain) => chains.includes(chain) && !now.chains.includes(chain);
    const alive = lost.filter(
      (rule) => interfacesOf(rule).every((name) => existsSync(`/sys/class/net/${name}`)) && !isGone(/ -[jg] (\S+)/.exec(rule)?.[1]),
    );
    return alive.reverse().map((rule) => `-I ${rule.slice(3)}`);
  });
  return result;
}

/** Chains that container engines made; whoever starts an engine notes them before, to remove only what is new afterwards. */
export async function engineChains() {
  return (await readFirewall()).flatMap(({ family, table, chains }) =>
    chains.filter((chain) => engineChain.test(chain)).map((chain) => `${family} ${table} ${chain}`),
  );
}

/** It speaks of interfaces or containers that are gone: CNI forgets to take such rules away. */
function isDead(rule) {
  const names = interfacesOf(rule);
  const addresses = [...rule.matchAll(/ -[sd] ([\d.]+)\/32/g)].map(([, address]) => address);
  const isGone = (name) => !existsSync(`/sys/class/net/${name}`);
  return names.length + addresses.length > 0 && names.every(isGone) && !addresses.some(isRouted);
}

/** Removes an engine's chains (`DOCKER` or `CNI-`) that are not in `keep`, unless a rule in one of them still speaks of somebody's network. */
export function removeEngineChains(prefix, keep) {
  return change(({ family, table, chains, rules }) => {
    const own = chains.filter((chain) => chain.startsWith(prefix) && !keep.includes(`${family} ${table} ${chain}`));
    const inside = rules.filter((rule) => own.includes(rule.split(' ')[1]));
    if (inside.some((rule) => namesTraffic.test(rule) && !isDead(rule))) return [];
    return removals(own, rules);
  });
}

/** Everything in these chains, what leads to them, and the chains. */
function removals(own, rules) {
  const touching = rules.filter((rule) => own.some((chain) => rule.startsWith(`-A ${chain} `) || rule.endsWith(` -j ${chain}`)));
  return [...deletions(touching), ...own.map((chain) => `-X ${chain}`)];
}

const berthChain = /^BERTH-(?:IN|FW)-/;

/** Removes Berth's chains that `isOurs` accepts, with the rules that lead to them. It gets the name and those rules. */
function removeBerthChains(isOurs) {
  return change(({ chains, rules }) => {
    const leadingTo = (chain) => rules.filter((rule) => rule.endsWith(` -j ${chain}`));
    return removals(
      chains.filter((chain) => berthChain.test(chain) && isOurs(chain, leadingTo(chain))),
      rules,
    );
  });
}

/** Removes the rules of every installation whose sessions have their addresses in this range ("10.203"). */
export const removeRangeRules = (range) => removeBerthChains((_, leading) => leading.some((rule) => rule.includes(` -s ${range}.`)));

/** Removes the rules of one installation. */
export function removeInstanceRules(instance) {
  const short = instance.replaceAll('-', '').slice(0, 12);
  return removeBerthChains((chain) => chain.endsWith(`-${short}`));
}
