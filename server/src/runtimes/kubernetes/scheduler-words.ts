import type { Reasons } from './room.ts';

/** What we reckon with ourselves, from nodes and pods. */
const ROOM = /^Insufficient |^Too many pods|taint|affinity(?:\/selector)?$|unschedulable/i;

const WORDS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/^Insufficient cpu/i, () => 'too few CPUs are free'],
  [/^Insufficient memory/i, () => 'too little memory is free'],
  [/^Insufficient ephemeral-storage/i, () => 'too little disk is free'],
  [/^Insufficient (\S+\/gpu)/i, () => 'too few GPUs are free'],
  [/^Insufficient (\S+)/i, ([, resource]) => `too little ${resource} is free`],
  [/^Too many pods/i, () => 'all places for pods are taken'],
  [/taint \{node\.kubernetes\.io\/(?:unreachable|not-ready)\b/i, () => 'no answer'],
  [/were unschedulable/i, () => 'no new containers are taken (cordoned)'],
  [/taint \{([^:}]+)(?:: *([^}]*))?\}/i, ([, key, value]) => `kept for others (taint ${key}${value ? `=${value}` : ''})`],
  [/volume node affinity conflict/i, () => 'its storage cannot be reached'],
  [/match pod affinity/i, () => 'its other containers are elsewhere'],
  [/match Pod's node affinity/i, () => 'a label asked for is missing'],
  [/unbound immediate PersistentVolumeClaims/i, () => 'its storage is not made yet'],
  [/persistentvolumeclaim "(.+)" not found/i, ([, claim]) => `its storage (claim ${claim}) does not exist`],
  [/persistentvolumeclaim "(.+)" is being deleted/i, ([, claim]) => `its storage (claim ${claim}) is being deleted`],
  [/exceed max volume count/i, () => 'too many storages are in use'],
];

/**
 * "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't …" as reasons by number of nodes; what has no words of ours is quoted.
 * @param about `beyond-room`: without what can be reckoned from nodes and pods
 */
export function schedulerReasons(said: string, about: 'all' | 'beyond-room' = 'all'): Reasons {
  const [, list] = /^\d+\/\d+ nodes are available: (.*)$/s.exec(said.replace(/\.? preemption:.*$/s, '').trim()) ?? [];
  if (list === undefined) return said === '' ? [] : [{ node: 'any node', reason: `the scheduler says "${said}"` }];
  return list
    .replace(/\.$/, '')
    .split(/, (?=\d+ )/)
    .flatMap((part) => {
      const [, count = '', what = part] = /^(\d+) (.*)$/s.exec(part) ?? [];
      if (about === 'beyond-room' && ROOM.test(what)) return [];
      return [{ node: count === '' ? 'any node' : count === '1' ? '1 node' : `${count} nodes`, reason: inWords(what) }];
    });
}

function inWords(what: string): string {
  for (const [phrase, words] of WORDS) {
    const match = phrase.exec(what);
    if (match !== null) return words(match);
  }
  return `the scheduler says "${what}"`;
}
