/** Machines and images name the same thing differently; here it is what `uname -m` says. */
const NAMES: Readonly<Record<string, string>> = { x64: 'x86_64', amd64: 'x86_64', 'x86-64': 'x86_64', arm64: 'aarch64', '386': 'i686' };

export function normalArchitecture(name: string): string {
  const lower = name.trim().toLowerCase();
  return NAMES[lower] ?? lower;
}
