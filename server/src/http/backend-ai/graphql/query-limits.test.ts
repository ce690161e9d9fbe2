import { getIntrospectionQuery, parse } from 'graphql';
import { expect, test } from 'vitest';
import { MOST, refuseCostly, refuseHugeText } from './query-limits.ts';

const judge = (text: string): void => {
  refuseHugeText(text);
  refuseCostly(parse(text, { noLocation: true, maxLexicalTokens: MOST.tokens }));
};

test.each([
  ['what clients ask', 'query($l: Int!) { compute_session_list(limit: $l) { items { id containers { live_stat } } total_count } }'],
  ['a description of everything there is', getIntrospectionQuery()],
  ['fragments', '{ a { ...f } } fragment f on X { b { ...g } } fragment g on X { c }'],
  ['a fragment used often', '{ a { ...f } b { ...f } } fragment f on X { c d: c }'],
  ['a fragment nobody uses, which the schema refuses', '{ a } fragment f on X { a b c d e f g h i j k l }'],
  ['a fragment in itself, which the schema refuses', '{ ...f } fragment f on X { a { ...f } }'],
  ['a fragment that is not there, which the schema refuses', '{ ...f }'],
])('%s is no burden', (_, text) => expect(() => judge(text)).not.toThrow());

const doubling = Array.from({ length: 30 }, (_, n) => `fragment f${n} on X { a { ...f${n + 1} } b { ...f${n + 1} } }`).join(' ');
test.each([
  ['a long text', `{ a(b: "${'x'.repeat(MOST.characters)}") }`, 'characters long'],
  ['thousands of brackets', `{ a(b: ${'['.repeat(5_000)}) }`, 'brackets'],
  ['a deep query', `${'{ a '.repeat(21)}${'}'.repeat(21)}`, '21 levels deep'],
  ['many fields', `{ x { ${'a '.repeat(501)}} }`, '502 fields'],
  ['many aliases', `{ x { ${Array.from({ length: 31 }, (_, n) => `a${n}: a`).join(' ')} } }`, '31 aliases'],
  ['many questions', `{ ${Array.from({ length: 11 }, (_, n) => `a${n}: a`).join(' ')} }`, '11 questions'],
  ['questions in a fragment', '{ ...f ...f } fragment f on Query { a b c d e f }', '12 questions'],
  ['many fields in a fragment nobody uses', `{ x } fragment f on X { ${'a '.repeat(501)}}`, '502 fields'],
  ['a deep fragment nobody uses', `{ x } fragment f on X ${'{ a '.repeat(21)}${'}'.repeat(21)}`, '21 levels deep'],
  ['two fragments of one name', `{ ...f } fragment f on X { ${'a '.repeat(501)}} fragment f on X { a }`, '502 fields'],
  ['fragments that double each other and that nobody uses', `{ x } ${doubling} fragment f30 on X { a }`, 'too large'],
  ['fragments that double each other', `{ x { ...f0 } } ${doubling} fragment f30 on X { a }`, 'too large'],
])('%s is refused', (_, text, words) => expect(() => judge(text)).toThrow(words));
