import { z } from 'zod';

/** Shapes of the settings that only a cluster needs, from text (environment) or from the configuration file. */
export const namespace = z
  .string()
  .regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/, "write a namespace's name: lower-case letters, digits and -, at most 63");

const objectName = /^[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?$/;
const size = /^[1-9]\d*(?:[KMGTP]i?)?$/;
const ACCESS = ['ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'] as const;
type Access = (typeof ACCESS)[number];

type Source =
  | { readonly kind: 'class'; readonly name?: string; readonly size: string; readonly accessMode: Access }
  | { readonly kind: 'claim'; readonly name: string }
  | { readonly kind: 'host-path'; readonly path: string }
  | { readonly kind: 'nfs'; readonly server: string; readonly path: string }
  | { readonly kind: 'none' };

const STORAGE_HELP = 'write class[:NAME[:SIZE[:ACCESS]]], claim:NAME, host-path:/PATH, nfs:SERVER:/PATH or none';

export const storageSource = z.string().transform((text, context): Source => {
  const source = parseStorage(text);
  if (source !== undefined) return source;
  context.addIssue({ code: 'custom', message: STORAGE_HELP });
  return z.NEVER;
});

function parseStorage(text: string): Source | undefined {
  const [kind, first = '', second = '', third = '', ...more] = text.split(':');
  if (more.length > 0) return undefined;
  switch (kind) {
    case 'none':
      return text === 'none' ? { kind } : undefined;
    case 'class':
      return classOf(first, second, third);
    case 'claim':
      return objectName.test(first) && second === '' ? { kind, name: first } : undefined;
    case 'host-path':
      return first.startsWith('/') && second === '' ? { kind, path: first } : undefined;
    case 'nfs':
      return first !== '' && second.startsWith('/') && third === '' ? { kind, server: first, path: second } : undefined;
    default:
      return undefined;
  }
}

function classOf(name: string, wantedSize: string, access: string): Source | undefined {
  const accessMode = ACCESS.find((mode) => mode === (access === '' ? 'ReadWriteMany' : access));
  const legal = (name === '' || objectName.test(name)) && (wantedSize === '' || size.test(wantedSize));
  if (accessMode === undefined || !legal) return undefined;
  return { kind: 'class', ...(name === '' ? {} : { name }), size: wantedSize === '' ? '10Gi' : wantedSize, accessMode };
}

const pool = z.strictObject({
  name: z.string().min(1),
  nodeSelector: z.record(z.string(), z.string()).default({}),
  tolerations: z
    .array(
      z.strictObject({
        key: z.string().exactOptional(),
        operator: z.enum(['Exists', 'Equal']).exactOptional(),
        value: z.string().exactOptional(),
        effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).exactOptional(),
      }),
    )
    .default([]),
  priorityClass: z.string().exactOptional(),
  gpus: z.boolean().exactOptional(),
});

/** A list, or the same as JSON in a text. */
export const nodePools = z.preprocess((value) => (typeof value === 'string' ? parseJson(value) : value), z.array(pool));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // The schema then says what it should be.
  }
}

const LABEL = /^([A-Za-z0-9](?:[A-Za-z0-9./_-]*[A-Za-z0-9])?)=([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)$/;

export const labels = z.string().transform((text, context): Record<string, string> => {
  const pairs = text
    .split(',')
    .filter((item) => item !== '')
    .map((item) => LABEL.exec(item.trim()));
  if (pairs.every((pair) => pair !== null)) return Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value]));
  context.addIssue({ code: 'custom', message: 'write NAME=VALUE, separated by commas' });
  return z.NEVER;
});
