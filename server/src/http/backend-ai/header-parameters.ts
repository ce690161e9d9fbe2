export interface Header {
  /** In lower case. */
  readonly value: string;
  /** By their names in lower case; the first of several counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** `form-data; name="src"; filename="a b"`. Undefined where it is not written so. */
export function parseHeader(text: string): Header | undefined {
  const value = /^\s*([\w!#$%&'*+.^`|~/-]+)\s*/.exec(text);
  if (value === null) return undefined;
  const parameter = /;\s*([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\[^])*)"|([^\s;"]*))\s*/y;
  parameter.lastIndex = value[0].length;
  const parameters = new Map<string, string>();
  while (parameter.lastIndex < text.length) {
    const at = parameter.lastIndex;
    const found = parameter.exec(text);
    // A semicolon at the end says nothing, and harms nobody.
    if (found === null) return /^;\s*$/.test(text.slice(at)) ? { value: lower(value), parameters } : undefined;
    const [, name = '', quoted, bare = ''] = found;
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, quoted === undefined ? bare : unescaped(quoted));
  }
  return { value: lower(value), parameters };
}

const lower = ([, value = '']: RegExpExecArray): string => value.toLowerCase();

/** Some write Windows paths unescaped: a backslash before anything else stands for itself. */
const unescaped = (quoted: string): string => quoted.replaceAll(/\\(["\\])/g, '$1');
