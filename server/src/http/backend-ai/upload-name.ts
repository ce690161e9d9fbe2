import { Refusal } from './refusal.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The name of an uploaded file, from the parameters of its Content-Disposition, whose characters are the bytes that came. Three
 * ways of writing are known: RFC 5987 (`filename*`), percent-encoded as a whole (Python's aiohttp), and raw UTF-8 with only
 * quotes and line ends encoded (browsers, Node).
 */
export function uploadName(parameters: ReadonlyMap<string, string>): string {
  const extended = parameters.get('filename*');
  if (extended !== undefined) return fromExtended(extended);
  const plain = parameters.get('filename');
  if (plain === undefined || plain === '') throw unusable('has no file name: send files as a form does, each with a filename');
  const isEncoded = /^(?:[\w.~-]|%[0-9A-F]{2})*$/.test(plain) && plain.includes('%');
  return isEncoded ? fromPercents(plain) : fromBytes(plain).replaceAll(/%(22|0D|0A)/gi, (_, hex: string) => SIGNS[hex.toUpperCase()] ?? '');
}

const SIGNS: Readonly<Record<string, string>> = { 22: '"', '0D': '\r', '0A': '\n' };

function fromExtended(text: string): string {
  const match = /^([\w-]*)'[^']*'((?:[\w!#$&+.^`|~-]|%[0-9A-Fa-f]{2})+)$/.exec(text);
  if (match?.[1]?.toLowerCase() !== 'utf-8' || match[2] === undefined)
    throw unusable("has a filename* that cannot be read: it reads UTF-8''percent-encoded");
  return fromPercents(match[2]);
}

function fromPercents(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw unusable('has a name that is not UTF-8');
  }
}

function fromBytes(text: string): string {
  try {
    return UTF8.decode(Buffer.from(text, 'latin1'));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw unusable('has a name that is not UTF-8');
  }
}

const unusable = (what: string): Refusal => new Refusal('invalid-api-params', `a part of the form ${what}`);
