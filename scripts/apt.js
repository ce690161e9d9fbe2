import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { must, run } from './run.js';

const POLICY = '/usr/sbin/policy-rc.d';

/** Whether packages can be installed here without asking anybody: Debian or its children, as root. */
export const canInstall = () => existsSync('/usr/bin/apt-get') && process.getuid?.() === 0;

/** Those of the packages that are not installed. */
export async function missingPackages(packages) {
  const { output } = await run('dpkg-query', ['--show', '--showformat=${binary:Package} ${db:Status-Status}\n', ...packages]);
  const installed = new Set(output.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(/[ :]/)[0]] : [])));
  return packages.filter((name) => !installed.has(name));
}

/** Installs packages without what they recommend, and without their services being started. */
export async function installPackages(packages, say = () => {}) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'a' };
  say('apt-get update');
  await must('apt-get', ['update', '-qq'], { env: environment });
  say(`apt-get install ${packages.join(' ')}`);
  const ours = !existsSync(POLICY);
  if (ours) {
    await writeFile(POLICY, '#!/bin/sh\nexit 101\n');
    await chmod(POLICY, 0o755);
  }
  try {
    await must('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env: environment });
  } finally {
    if (ours) await rm(POLICY, { force: true });
  }
}
