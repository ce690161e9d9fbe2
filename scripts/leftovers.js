// What engines, servers and tests could leave on a machine. `node scripts/leftovers.js save FILE` before, `compare FILE` after:
// the comparison prints what is there now and was not before, and ends with 1 if there is anything.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { readFirewall } from './firewall.js';
import { mountsBelow } from './mounts.js';
import { processes } from './processes.js';

const PROGRAMS =
  /(^|\/)(etcd|kube-\S+|kubelet|cluster-dns|dockerd|docker-proxy|docker-registry|containerd|containerd-shim\S*|runc|podman|conmon|catatonit|postgres|tmux|mmdebstrap)\b|cli\/src\/main\.ts|vitest/;
/** Folders of the kubelet that a cluster makes on the machine itself, and leaves empty. */
const KUBELET = ['/var/lib/kubelet', '/var/log/pods', '/var/log/containers'];
const named = (folder, pattern) =>
  readdirSync(folder)
    .filter((name) => pattern.test(name))
    .map((name) => `${folder}/${name}`);

const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

async function look() {
  return {
    process: processes((command) => PROGRAMS.test(command)).map(({ pid, command }) => `${pid} ${command.slice(0, 160)}`),
    'network interface': readdirSync('/sys/class/net'),
    'firewall rule': (await readFirewall()).flatMap(({ family, table, chains, rules }) =>
      [...chains.map((chain) => `chain ${chain}`), ...rules].map((line) => `${family} ${table} ${line}`),
    ),
    mount: mountsBelow('/').filter((point) => /docker|container|netns|berth|overlay|mmdebstrap/.test(point)),
    'network namespace': named('/run', /^netns$/).flatMap((folder) => named(folder, /./)),
    'control group': named('/sys/fs/cgroup', /./).flatMap((folder) => (isFolder(folder) ? named(folder, /^k8s-/) : [])),
    folder: [...named('/run', /^berth/), ...named(tmpdir(), /^berth/), ...KUBELET.filter(isFolder).flatMap((folder) => named(folder, /./))],
  };
}

const [verb, file] = process.argv.slice(2);
const now = await look();
if (verb === 'save' && file) {
  writeFileSync(file, JSON.stringify(now));
} else if (verb === 'compare' && file) {
  const before = JSON.parse(readFileSync(file, 'utf8'));
  const left = Object.entries(now).flatMap(([kind, items]) =>
    items.filter((item) => !before[kind].includes(item)).map((item) => `left behind: ${kind} ${item}`),
  );
  if (left.length > 0) process.stdout.write(`${left.join('\n')}\n`);
  process.exitCode = left.length === 0 ? 0 : 1;
} else {
  process.stderr.write('node scripts/leftovers.js save FILE | compare FILE\n');
  process.exitCode = 2;
}
