import type { FileEntry } from '@berth/contract';

export interface Entries {
  readonly entries: readonly FileEntry[];
  readonly complete: boolean;
}

const KINDS: Readonly<Record<string, FileEntry['kind']>> = { '-': 'file', d: 'folder', l: 'link' };

/**
 * What inside/files/list.sh prints: each entry after a mark that no name holds, then its mode, size and three times in seconds
 * (read, written, changed), then "./" and its name up to a newline. Whatever else stands there is left out.
 */
export function parseEntries(text: string, mark: string): Entries {
  const records = text.split(`${mark} `).slice(1);
  const entries = records.flatMap((record) => parseEntry(record) ?? []);
  return {
    entries: entries.toSorted((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name))),
    complete: !records.includes('more\n'),
  };
}

function parseEntry(record: string): FileEntry | undefined {
  const match = /^(\S{10,12}) (\d{1,15}) (-?\d{1,12}) (-?\d{1,12}) (-?\d{1,12}) \.\/([^/]+)\n$/.exec(record);
  if (match === null) return undefined;
  const [, mode = '', size, accessed, modified, changed, name = ''] = match;
  const kind = KINDS[mode.charAt(0)] ?? 'other';
  return {
    name,
    kind,
    size: Number(size),
    mode,
    modifiedAt: instant(modified),
    accessedAt: instant(accessed),
    changedAt: instant(changed),
  };
}

const MOST_MS = 8.64e15;
/** Anybody may give a file any time, also one that no calendar has. */
const instant = (seconds: string | undefined): string => {
  const at = new Date(Math.min(Math.max(Number(seconds) * 1000, -MOST_MS), MOST_MS));
  return at.getUTCFullYear() >= 0 && at.getUTCFullYear() <= 9999 ? at.toISOString() : new Date(0).toISOString();
};
