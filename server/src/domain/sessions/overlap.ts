/** How many of the first bytes of a live output are in the log already. The log may be ahead of what has come live so far. */
export function alreadyIn(log: Buffer, live: Buffer): number {
  const inside = live.length === 0 ? -1 : log.lastIndexOf(live);
  return inside === -1 ? overlap(log, live) : log.length - inside;
}

/**
 * How many bytes at the end of `before` come again at the start of `after`: the longest suffix of the one that is a prefix
 * of the other. Linear: a repetitive log must not hold up the server.
 */
export function overlap(before: Buffer, after: Buffer): number {
  const length = Math.min(before.length, after.length);
  const prefixes = borders(after.subarray(0, length));
  let matched = 0;
  for (const byte of before.subarray(before.length - length)) {
    while (matched > 0 && (matched === length || after[matched] !== byte)) matched = prefixes[matched - 1] ?? 0;
    if (after[matched] === byte) matched += 1;
  }
  return matched;
}

/** For each prefix, the length of the longest shorter one that it also ends with (Knuth, Morris, Pratt). */
function borders(pattern: Buffer): Uint32Array {
  const lengths = new Uint32Array(pattern.length);
  let matched = 0;
  for (let at = 1; at < pattern.length; at += 1) {
    while (matched > 0 && pattern[at] !== pattern[matched]) matched = lengths[matched - 1] ?? 0;
    if (pattern[at] === pattern[matched]) matched += 1;
    lengths[at] = matched;
  }
  return lengths;
}
