import { Dicer } from '@fastify/busboy';
import type { Readable } from 'node:stream';
import { parseHeader } from './header-parameters.ts';
import { Refusal } from './refusal.ts';
import { uploadName } from './upload-name.ts';

const FILES = 20;
/** As real servers have it: one byte less is the most. */
const FILE_BYTES = 1024 * 1024;
/** All of it is held until it is understood: what is refused changes nothing. */
const FORM_BYTES = (FILES + 1) * FILE_BYTES;

export interface Uploaded {
  /** As its sender wrote it. */
  readonly name: string;
  readonly content: Buffer;
}

/** A multipart/form-data body, each part a file. */
export async function readUploads(contentType: string, body: Readable): Promise<readonly Uploaded[]> {
  const boundary = boundaryOf(contentType);
  const whole = await collected(body);
  if (delimitersIn(whole, boundary) > FILES + 1) throw tooMuch(`more than ${FILES} files`);
  const parts = await split(whole, boundary);
  if (parts.length === 0) throw malformed('it has no parts');
  return parts.map(uploaded);
}

function boundaryOf(contentType: string): string {
  const header = parseHeader(contentType);
  const boundary = header?.parameters.get('boundary') ?? '';
  if (header?.value !== 'multipart/form-data') throw malformed('its content type is not multipart/form-data');
  if (!/^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary)) throw malformed('its content type names no usable boundary');
  return boundary;
}

async function collected(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > FORM_BYTES) throw tooMuch(`more than ${FILES} files of less than 1MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Counted before they are parted: each part costs more than the bytes it may consist of. */
function delimitersIn(body: Buffer, boundary: string): number {
  let count = body.subarray(0, boundary.length + 2).toString('latin1') === `--${boundary}` ? 1 : 0;
  const delimiter = `\r\n--${boundary}`;
  for (let at = body.indexOf(delimiter); at >= 0 && count <= FILES + 1; at = body.indexOf(delimiter, at + delimiter.length)) count += 1;
  return count;
}

interface Part {
  readonly chunks: Buffer[];
  header: Readonly<Record<string, readonly string[]>> | undefined;
}

function split(body: Buffer, boundary: string): Promise<readonly Part[]> {
  return new Promise((resolve, reject) => {
    const parts: Part[] = [];
    const dicer = new Dicer({ boundary });
    dicer.on('part', (stream: Readable) => {
      const part: Part = { chunks: [], header: undefined };
      parts.push(part);
      stream.on('header', (header: Part['header']) => (part.header = header));
      stream.on('data', (chunk: Buffer) => part.chunks.push(chunk));
      // Told of the whole, too.
      stream.on('error', () => undefined);
    });
    dicer.on('error', (error: Error) => reject(malformed('it ends in the middle', error)));
    dicer.on('finish', () => resolve(parts));
    dicer.end(body);
  });
}

function uploaded({ header, chunks }: Part): Uploaded {
  const disposition = parseHeader(header?.['content-disposition']?.[0] ?? '');
  if (disposition?.value !== 'form-data') throw malformed('a part of it has no Content-Disposition that can be read');
  refuseEncoded(header?.['content-transfer-encoding'], ['binary', '8bit', '7bit']);
  refuseEncoded(header?.['content-encoding'], ['identity']);
  const name = uploadName(disposition.parameters);
  const content = Buffer.concat(chunks);
  if (content.length >= FILE_BYTES)
    throw tooMuch(`"${name}", which has ${content.length} bytes, and files must have less than ${FILE_BYTES}`);
  return { name, content };
}

function refuseEncoded(values: readonly string[] | undefined, plain: readonly string[]): void {
  const encoding = values?.[0]?.trim().toLowerCase();
  if (encoding === undefined || plain.includes(encoding)) return;
  throw malformed(`a part of it is encoded (${encoding}): send files as they are`);
}

const tooMuch = (what: string): Refusal =>
  new Refusal('invalid-api-params', `the form holds ${what}: send less at once, or use \`berth session upload\``);
const malformed = (what: string, cause?: unknown): Refusal =>
  new Refusal('invalid-api-params', `the form cannot be read: ${what}`, { title: 'Malformed body', cause });
