import { z } from 'zod';
import { parseDuration } from './quantity.ts';

const Instant = z.iso.datetime();
export const UserName = z
  .string()
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, 'a user name is 1 to 32 of a-z, 0-9, "_" and "-" and begins with a letter');

export const User = z.object({
  id: z.string(),
  name: z.string(),
  role: z.enum(['admin', 'user']),
  domain: z.string(),
  disabled: z.boolean(),
  createdAt: Instant,
});
export type User = z.output<typeof User>;
export const CreateUser = z.strictObject({ name: UserName, role: z.enum(['admin', 'user']).default('user') });
export const ChangeUser = z.strictObject({ disabled: z.boolean() });

export const Token = z.object({
  id: z.string(),
  name: z.string(),
  user: z.string(),
  prefix: z.string(),
  createdAt: Instant,
  expiresAt: Instant.nullable(),
  lastUsedAt: Instant.nullable(),
  revokedAt: Instant.nullable(),
});
export type Token = z.output<typeof Token>;
export const CreateToken = z.strictObject({
  name: z.string().min(1).max(64),
  user: z.string().optional().meta({ description: 'For another user: admins only' }),
  expiresIn: z
    .string()
    .max(32)
    .transform((text, context) => {
      const parsed = parseDuration(text);
      if (parsed.ok) return parsed.value;
      context.addIssue({ code: 'custom', message: parsed.message });
      return z.NEVER;
    })
    .optional()
    .meta({ description: '"90d"; without it the token does not expire' }),
});
export const NewToken = Token.extend({ secret: z.string().meta({ description: 'Shown once' }) });

export const Keypair = z.object({
  id: z.string(),
  accessKey: z.string().meta({ description: 'Names the key pair; no secret' }),
  name: z.string(),
  user: z.string(),
  createdAt: Instant,
  lastUsedAt: Instant.nullable().meta({ description: 'To the minute' }),
  revokedAt: Instant.nullable(),
});
export type Keypair = z.output<typeof Keypair>;
export const CreateKeypair = z.strictObject({
  name: z.string().max(64).default('').meta({ description: 'What it is for' }),
  user: z.string().optional().meta({ description: 'For another user: admins only' }),
});
export const NewKeypair = Keypair.extend({ secretKey: z.string().meta({ description: 'Shown once' }) });

export const Node = z.object({
  id: z.string(),
  name: z.string(),
  runtime: z.enum(['docker', 'kubernetes', 'fake']),
  status: z.enum(['ready', 'unreachable']),
  statusReason: z.string(),
  unreachableSince: Instant.nullable(),
  engine: z.string().meta({ description: '"Docker 28.2 (API 1.50)"' }),
  architecture: z.string().meta({ description: 'x86_64, aarch64, ...; empty while it is not known' }),
  capacity: z.object({ cpu: z.number(), memoryBytes: z.number().int(), gpu: z.number().int() }),
  free: z.object({ cpu: z.number(), memoryBytes: z.number().int(), gpu: z.number().int() }),
  sessions: z.number().int(),
  quarantined: z.number().int().meta({ description: 'Containers with our labels that no session knows, kept aside' }),
  notices: z.array(z.string()).meta({ description: 'What weakens it: "no firewall rules: not root"' }),
});
export type Node = z.output<typeof Node>;
