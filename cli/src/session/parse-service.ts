import { Failure } from '../failure.ts';

export interface AskedService {
  readonly name: string;
  readonly port: number;
  /** What is not one is named by the schema. */
  readonly protocol: string;
}

/** `[NAME:]PORT[/http|tcp]`: without a name it is called by its number. */
export function parseService(text: string): AskedService {
  const [, name, port, protocol = 'http'] = /^(?:([^:/]+):)?(\d{1,5})(?:\/([^/]+))?$/.exec(text) ?? [];
  if (port === undefined) throw new Failure('usage', `--expose: "${text}" names no port: write it like board:6006/http, or 6006`);
  return { name: name ?? String(Number(port)), port: Number(port), protocol };
}
