import { expect, test } from 'vitest';
import { normalArchitecture } from './architecture.ts';

test.each([
  ['amd64', 'x86_64'],
  ['X86_64', 'x86_64'],
  ['x64', 'x86_64'],
  ['arm64', 'aarch64'],
  [' AArch64 ', 'aarch64'],
  ['riscv64', 'riscv64'],
])('%j is %s', (name, expected) => expect(normalArchitecture(name)).toBe(expected));
