import { Refusal } from './refusal.ts';

/** Where their folders are inside. */
const WORK = '/home/work';
const MOST = 5;

export interface AskedMount {
  readonly storage: string;
  readonly target: string;
  readonly readOnly: boolean;
}

interface Asked {
  /** Names, or `name:alias`. */
  readonly mounts: readonly string[];
  /** Folder to alias. */
  readonly mountMap: Readonly<Record<string, string>>;
  readonly mountOptions: Readonly<Record<string, { readonly permission?: string | null | undefined }>>;
}

/** Folders by name, each with its place: its alias, else its name, below /home/work unless it is an absolute path. */
export function askedMounts({ mounts, mountMap, mountOptions }: Asked): readonly AskedMount[] {
  if (mounts.length > MOST) throw refused(`${mounts.length} folders are too many: a session mounts at most ${MOST}`);
  const [aliases, options] = [new Map(Object.entries(mountMap)), new Map(Object.entries(mountOptions))];
  const named = mounts.map((text) => {
    const [name = '', ...rest] = text.split(':');
    return { name, alias: rest.length > 0 ? rest.join(':') : (aliases.get(name) ?? name) };
  });
  const names = named.map(({ name }) => name);
  const stranger = [...aliases.keys(), ...options.keys()].find((name) => !names.includes(name));
  if (stranger !== undefined) throw refused(`"${stranger}" has a place or options, but is not among the mounts: add it there`);
  refuseConfusing(named);
  return named.map(({ name, alias }) => ({
    storage: name,
    target: alias.startsWith('/') ? alias : `${WORK}/${alias}`,
    readOnly: options.get(name)?.permission === 'ro',
  }));
}

function refuseConfusing(named: readonly { readonly name: string; readonly alias: string }[]): void {
  for (const [index, { name, alias }] of named.entries()) {
    if (alias === '') throw refused(`the alias of "${name}" is empty: leave it out, or write the name it is to have`);
    for (const other of named.slice(0, index)) {
      if (other.name === name) throw refused(`"${name}" is mounted twice: name each folder once`);
      if (other.alias === alias) throw refused(`"${other.name}" and "${name}" have the same alias, "${alias}": give each its own`);
    }
    const hidden = named.find((other) => other.name !== name && other.name === alias);
    if (hidden !== undefined) throw refused(`the alias "${alias}" of "${name}" is another folder's name: choose another alias`);
  }
}

const refused = (message: string): Refusal => new Refusal('invalid-api-params', message, { data: { mounts: message } });
