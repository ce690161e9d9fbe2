// No file of the repository names a package registry's host or a path of somebody's machine: both are settings of the
// machine it runs on, and a copy of Berth elsewhere would ask for them in vain.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './root.js';

// In this file the dots and slashes are escaped or in classes, so that it passes its own test.
const FORBIDDEN = [
  {
    pattern: /registry[.]npmjs[.]org|(?:deb|security|snapshot)[.]debian[.]org|registry-1[.]docker[.]io|gcr[.]io|quay[.]io/i,
    remedy: "leave the host to the machine's own configuration",
  },
  {
    pattern: /(?:^|[\s"'`=(:])[/](?:work[/](?:main|shared)|var[/]tmp[/]dev|root[/])/,
    remedy: 'use a relative path, an argument or a variable',
  },
];
const NOT_OURS = new Set(['LICENSE']);

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root, encoding: 'utf8' });
const found = [];
for (const file of files.split('\0')) {
  if (file === '' || NOT_OURS.has(file)) continue;
  let text;
  try {
    text = readFileSync(join(root, file), 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EISDIR') continue;
    throw error;
  }
  text.split('\n').forEach((line, index) => {
    for (const { pattern, remedy } of FORBIDDEN) {
      const match = pattern.exec(line);
      if (match) found.push(`${file}:${index + 1}: "${match[0].trim()}": ${remedy}`);
    }
  });
}
if (found.length > 0) process.stdout.write(`${found.join('\n')}\n`);
process.exitCode = found.length === 0 ? 0 : 1;
