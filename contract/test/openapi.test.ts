import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { api, PROBLEMS, streams, toOpenApi } from '../src/index.ts';

const document = toOpenApi({ api, streams, version: '0.0.0' });

/** OpenAPI 3.1's own rules, as far as this document goes: an unknown word anywhere in it fails. */
const Schema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);
const Content = z.record(z.string().regex(/^[\w.+-]+\/[\w.+-]+$/), z.strictObject({ schema: Schema.optional() }));
const Response = z.strictObject({ description: z.string().min(1), content: Content.optional() });
const Parameter = z.strictObject({
  name: z.string().min(1),
  in: z.enum(['path', 'query']),
  required: z.boolean(),
  description: z.string().optional(),
  schema: Schema,
});
const Operation = z.strictObject({
  operationId: z.string().regex(/^[a-z]\w+$/i),
  summary: z.string().min(1),
  parameters: z.array(Parameter).min(1).optional(),
  requestBody: z.strictObject({ content: Content }).optional(),
  responses: z.record(z.string().regex(/^[1-5]\d\d$/), Response),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  'x-berth-kind': z.enum(['sse', 'bytes', 'websocket']).optional(),
  'x-berth-message': Schema.optional(),
});
const PathItem = z.partialRecord(z.enum(['get', 'post', 'put', 'patch', 'delete']), Operation);
const Document = z.strictObject({
  openapi: z.literal('3.1.0'),
  info: z.strictObject({
    title: z.string(),
    version: z.string(),
    description: z.string(),
    license: z.strictObject({ name: z.string(), identifier: z.string() }),
  }),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  paths: z.record(z.string().startsWith('/'), PathItem),
  components: z.strictObject({
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal('http'), scheme: z.literal('bearer'), description: z.string() }),
    ),
    schemas: z.record(z.string().regex(/^[\w.-]+$/), Schema),
  }),
});
const checked = Document.parse(document);
const operations = Object.entries(checked.paths).flatMap(([path, item]) => Object.values(item).map((operation) => ({ path, operation })));

test('every request and stream of the contract is in it, once', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(ids.toSorted()).toEqual([...Object.keys(api), ...Object.keys(streams)].toSorted());
});

test('every reference leads somewhere', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(references.length).toBeGreaterThan(20);
  for (const reference of new Set(references)) {
    expect(reference).toMatch(/^#\/components\/schemas\/\w+$/);
    expect(checked.components.schemas).toHaveProperty(reference.split('/').at(-1) ?? '');
  }
});

test('every named schema is used', () => {
  const text = JSON.stringify(document);
  const unused = Object.keys(checked.components.schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
  expect(unused).toEqual(['ControlFromClient']);
});

test.each(operations)('the parameters of $path are those in the path', ({ path, operation }) => {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
  expect(declared.map(({ name }) => name)).toEqual(inPath);
  expect(declared.every(({ required }) => required)).toBe(true);
});

test.each(operations)("$operation.operationId answers a failure as a problem, and only the contract's", ({ operation }) => {
  const statuses = new Set<number>(Object.values(PROBLEMS).map(({ status }) => status));
  const failures = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
  expect(failures.length).toBeGreaterThan(0);
  for (const [status, response] of failures) {
    expect(statuses).toContain(Number(status));
    expect(response.content).toHaveProperty(['application/problem+json']);
  }
});

test('no schema carries words that JSON Schema does not know', () => {
  const known = new Set([
    'type',
    'properties',
    'required',
    'additionalProperties',
    'items',
    'anyOf',
    'oneOf',
    'allOf',
    'enum',
    'const',
    'default',
    'description',
    'format',
    'pattern',
    'minimum',
    'maximum',
    'minLength',
    'maxLength',
    'minItems',
    'maxItems',
    'propertyNames',
    'exclusiveMinimum',
    'exclusiveMaximum',
    '$ref',
    'discriminator',
  ]);
  const strange = new Set<string>();
  const look = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [word, value] of Object.entries(schema)) {
      if (!known.has(word)) strange.add(word);
      if (word === 'properties') Object.values(value as object).forEach(look);
      else if (Array.isArray(value)) value.forEach(look);
      else look(value);
    }
  };
  Object.values(checked.components.schemas).forEach(look);
  expect([...strange]).toEqual([]);
});

test("the committed document is the contract's", async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  const committed = await readFile(new URL('../../docs/openapi.json', import.meta.url), 'utf8');
  expect(JSON.parse(committed), 'run `npm run openapi`').toEqual(JSON.parse(JSON.stringify(toOpenApi({ api, streams, version }))));
});
