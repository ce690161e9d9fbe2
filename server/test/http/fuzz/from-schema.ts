import * as fc from 'fast-check';
import { z } from 'zod';
import { wildValue } from './wild.ts';

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Words that are understood here and there. */
const WORDS = [
  'debian',
  'docker://debian',
  'some-name',
  '5m',
  '2',
  '0.5',
  '4g',
  '512MiB',
  '2026-01-01T00:00:00Z',
  '/home/work',
  'main.py',
  'alice',
  '*',
];
const word = fc.constantFrom(...WORDS);

/** What a client would send by this schema, but for a mistake here and there. */
export const fromSchema = (schema: z.ZodType): fc.Arbitrary<unknown> =>
  valueOf(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);

function valueOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: rightValue(schema) }, { weight: 1, arbitrary: wildValue });
}

function rightValue(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches !== undefined) return fc.oneof(...branches.map(rightValue));
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 3 });
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(schema.minimum ?? -10, -1e6), max: Math.min(schema.maximum ?? 1000, 1e6) });
    case 'string':
      return textOf(schema);
    default:
      return wildValue;
  }
}

function textOf({ pattern }: JsonSchema): fc.Arbitrary<unknown> {
  // What looks ahead or behind cannot be made from its pattern.
  if (pattern === undefined || pattern.includes('(?')) return word;
  return fc.oneof(word, fc.stringMatching(new RegExp(pattern)));
}

function objectOf({ properties = {}, required = [], additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  const known = fc.record(Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valueOf(inner)])), {
    requiredKeys: [...required],
  });
  const extra = typeof additionalProperties === 'object' ? valueOf(additionalProperties) : wildValue;
  const rarely = typeof additionalProperties === 'object' ? 3 : 0;
  const others = fc.oneof(
    { weight: 12, arbitrary: rarely === 0 ? fc.constant({}) : fc.dictionary(word, extra, { maxKeys: rarely }) },
    { weight: 1, arbitrary: fc.dictionary(fc.oneof(word, fc.string({ maxLength: 8 })), extra, { maxKeys: 3 }) },
  );
  return fc.tuple(known, others).map(([first, second]) => ({ ...first, ...second }));
}
