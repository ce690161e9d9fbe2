import { inWords, ProblemError } from '@berth/contract';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** The value as the schema understands it; ProblemError invalid-field names the field, the value and what is wrong with it. */
export function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value, { error: inWords });
  if (!parsed.success) throw problemOf(parsed.error, value);
  const path = unusableText(parsed.data);
  if (path === undefined) return parsed.data;
  const field = path.join('.');
  throw new ProblemError(
    'invalid-field',
    `${field} holds a character that no program takes (NUL, or half of a surrogate pair): leave it out`,
    { field },
  );
}

/** Where a text is that neither the database nor an engine could keep. Looks at what the schema let through: its depth is known. */
function unusableText(value: unknown): string[] | undefined {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? [] : undefined;
  if (!isRecord(value)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    const path = unusableText(inner);
    if (path !== undefined) return [key, ...path];
  }
  return undefined;
}

function problemOf(error: z.ZodError, value: unknown): ProblemError {
  const issues = error.issues.flatMap(unfold);
  const field = issues[0] === undefined ? '' : fieldOf(issues[0]);
  const detail = issues
    .slice(0, 5)
    .map((issue) => sentence(issue, value))
    .join('; ');
  return new ProblemError('invalid-field', detail, field === '' ? {} : { field });
}

/** Of a union the branch that got furthest: the one whose complaint is about the value and not about its type. */
function unfold(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branch = issue.errors.find((errors) => errors.every((inner) => inner.code !== 'invalid_type')) ?? issue.errors[0] ?? [];
  return branch.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(unfold);
}

function fieldOf(issue: Issue): string {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  return path.map(String).join('.');
}

function sentence(issue: Issue, value: unknown): string {
  const field = fieldOf(issue);
  if (issue.code === 'unrecognized_keys') {
    const names = issue.keys.map((key) => `"${[...issue.path, key].map(String).join('.')}"`).join(', ');
    return `${names} ${issue.keys.length > 1 ? 'are no fields' : 'is no field'} of this request: leave out or correct the name`;
  }
  if (issue.code === 'invalid_key') return `"${field}": ${issue.issues[0]?.message ?? 'the name cannot be used'}`;
  if (issue.code === 'custom') return field === '' ? issue.message : `${field}: ${issue.message}`;
  const offending = at(value, issue.path);
  if (offending === undefined) return field === '' ? 'the request has no body' : `${field} is missing: ${issue.message}`;
  return `${field === '' ? 'the body' : field} is ${shown(offending)}: ${issue.message}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);
}

const isRecord = (value: unknown): value is Record<PropertyKey, unknown> => typeof value === 'object' && value !== null;

function shown(value: unknown): string {
  const text = JSON.stringify(abridged(value, SHOWN_DEPTH)) ?? String(value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
const SHOWN_DEPTH = 4;
const SHOWN_ITEMS = 20;

/** What is deep or long is not written out only to be cut off: some of it no program could write out. */
function abridged(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, 200);
  if (!isRecord(value)) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.slice(0, SHOWN_ITEMS).map((item) => abridged(item, depth - 1));
  const entries = Object.entries(value).slice(0, SHOWN_ITEMS);
  return Object.fromEntries(entries.map(([key, inner]) => [key, abridged(inner, depth - 1)]));
}
