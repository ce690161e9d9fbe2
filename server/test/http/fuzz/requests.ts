import * as fc from 'fast-check';
import { wildHeaders, wildText, wildValue, wildWriting } from './wild.ts';

/** A way to a server: what is sent there when nothing is wrong. */
export interface Way {
  readonly method: string;
  /** Parameters are written `:name`, a rest `*`. */
  readonly path: string;
  readonly query: fc.Arbitrary<Readonly<Record<string, unknown>>>;
  readonly body: fc.Arbitrary<unknown> | undefined;
  /** Its good answer does not end. */
  readonly endless?: boolean;
}

export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  readonly body: Buffer | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Without a signature or token, or with one that does not fit. */
  readonly signed: 'well' | 'not' | 'wrongly';
  readonly endless: boolean;
  /** The client goes away in the middle. */
  readonly cut: boolean;
}

interface Options {
  readonly ways: readonly Way[];
  /** Of the path. */
  readonly names: fc.Arbitrary<string>;
}

const seldom = <T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>, weight = 15): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: other });

/** Requests that are nearly right, of every way there is. */
export function requestsOf({ ways, names }: Options): fc.Arbitrary<FuzzRequest> {
  const segment = seldom(
    names.map(encodeURIComponent),
    wildText.map((text) => (text.isWellFormed() ? encodeURIComponent(text) : text)),
    8,
  );
  const methods = fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS');
  return fc.oneof(...ways.map((way) => requestOn(way, { segment, methods })));
}

function requestOn(
  way: Way,
  { segment, methods }: { segment: fc.Arbitrary<string>; methods: fc.Arbitrary<string> },
): fc.Arbitrary<FuzzRequest> {
  const holes = way.path.split('/').filter((part) => part.startsWith(':') || part === '*').length;
  return fc.record({
    method: seldom(fc.constant(way.method), methods, 20),
    target: fc
      .tuple(
        fc.array(segment, { minLength: holes, maxLength: holes }),
        seldom(way.query, fc.dictionary(wildText, wildValue, { maxKeys: 4 })),
      )
      .map(([parts, query]) => targetOf(way.path, parts, query)),
    body: bodyOf(way.body),
    headers: seldom(fc.constant({}), wildHeaders, 6),
    signed: fc.oneof(
      { weight: 20, arbitrary: fc.constant('well' as const) },
      { weight: 1, arbitrary: fc.constantFrom('not' as const, 'wrongly' as const) },
    ),
    endless: fc.constant(way.endless === true),
    cut: seldom(fc.constant(false), fc.constant(true), 40),
  });
}

function targetOf(path: string, parts: readonly string[], query: Readonly<Record<string, unknown>>): string {
  const rest = [...parts];
  const filled = path.split('/').map((part) => (part.startsWith(':') || part === '*' ? (rest.shift() ?? '') : part));
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, one] as const),
  );
  const text = pairs
    .map(([name, value]) => `${escaped(name)}=${escaped(typeof value === 'string' ? value : JSON.stringify(value))}`)
    .join('&');
  return filled.join('/') + (text === '' ? '' : `?${text}`);
}

const escaped = (text: string): string => (text.isWellFormed() ? encodeURIComponent(text) : text.replaceAll(/[^\x21-\x7e]/g, '%'));

function bodyOf(body: Way['body']): fc.Arbitrary<Buffer | undefined> {
  if (body === undefined)
    return seldom(
      fc.constant(undefined),
      wildValue.map((value) => Buffer.from(JSON.stringify(value))),
      20,
    );
  const asIs = (json: string): string => json;
  return fc.tuple(body, seldom<(json: string) => string | Buffer>(fc.constant(asIs), wildWriting, 8)).map(([value, write]) => {
    const written = write(JSON.stringify(value));
    return typeof written === 'string' ? Buffer.from(written) : written;
  });
}

/** As it goes over the wire. Characters that a header cannot hold become question marks. */
export function bytesOf({ method, target, body, headers }: Pick<FuzzRequest, 'method' | 'target' | 'body' | 'headers'>): Buffer {
  const said = { ...(body !== undefined && { 'content-length': String(body.length) }), ...headers };
  const lines = Object.entries(said).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value.replaceAll(/[^\x20-\x7e]/g, '?')}`],
  );
  const path = target.replaceAll(/[^\x21-\x7e]/g, '?');
  const head = Buffer.from([`${method} ${path} HTTP/1.1`, ...lines].join('\r\n') + '\r\n\r\n', 'latin1');
  return body === undefined ? head : Buffer.concat([head, body]);
}
