import { z } from 'zod';
import { Refusal } from './refusal.ts';

/** What a request asks with, whichever way it came. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Root, `config`, and what is inside: nothing of a request is deeper. */
const DEPTH = 3;

/** Query and body in one, the body first; null means "not given"; an empty body is none, whatever its content type says. */
export function mergeParameters(query: Parameters, body: Buffer): Parameters {
  return { ...withoutNulls(query, DEPTH), ...withoutNulls(parseBody(body), DEPTH) };
}

/** Every name at the root of query and body, also where its value is null. */
export const namesGiven = (query: Parameters, body: Buffer): ReadonlySet<string> =>
  new Set([...Object.keys(query), ...Object.keys(parseBody(body))]);

function parseBody(body: Buffer): Parameters {
  const text = body.toString('utf8').trim();
  if (text === '') return {};
  const parsed = parseJson(text) ?? {};
  if (!isObject(parsed)) throw malformed('it is JSON, but no object');
  return parsed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed('it is no JSON that can be read', error);
  }
}

const malformed = (what: string, cause?: unknown): Refusal =>
  new Refusal('invalid-api-params', `Malformed body: ${what}; send one JSON object in UTF-8, or nothing`, {
    title: 'Malformed body',
    cause,
  });

function withoutNulls(value: Parameters, depth: number): Parameters {
  const given = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(given.map(([key, inner]) => [key, depth > 1 && isObject(inner) ? withoutNulls(inner, depth - 1) : inner]));
}

const isObject = (value: unknown): value is Parameters => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Each value under its canonical name: that name first, then its aliases in their order. Unknown names stay as they are. */
export function canonical(parameters: Parameters, aliases: Readonly<Record<string, readonly string[]>>): Parameters {
  const found = Object.entries(aliases).flatMap(([name, others]) => {
    const given = [name, ...others].find((key) => Object.hasOwn(parameters, key));
    return given === undefined ? [] : [[name, parameters[given]] as const];
  });
  return { ...parameters, ...Object.fromEntries(found) };
}

/** true, "true", "yes", "1", 1 and their opposites. */
export const Flag = z.union([z.boolean(), z.literal([0, 1]).transform(Boolean), z.stringbool()]);

/** 4 or "4". */
export const WholeNumber = z.union([
  z.number().int('it must be a whole number'),
  z
    .string()
    .regex(/^ *[+-]?\d{1,15} *$/, 'it must be a whole number')
    .transform(Number),
]);
