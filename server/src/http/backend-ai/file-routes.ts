import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { FileEntry } from '@berth/contract';
import { FileRefusal } from '../../domain/files/file-refusal.ts';
import { parseFilePath, parseWorkPath, placeOf, type WorkPath } from '../../domain/files/work-path.ts';
import type { Session } from '../../domain/sessions/session.ts';
import { audit } from '../caller.ts';
import { check } from '../check.ts';
import { refuseUnlessRunning } from '../exec.ts';
import { takeBody } from '../take-body.ts';
import type { Call, Route, Sent, Surface } from './call.ts';
import { archiveOf, mixed } from './file-archive.ts';
import { findSession, refuseStrangers } from './find-session.ts';
import { Refusal } from './refusal.ts';
import type { SignedCaller } from './signature-check.ts';
import { readUploads } from './upload-form.ts';
import { UploadPlaces } from './upload-places.ts';

/** Forms that are held in memory at once, 21 MiB each at most; others wait so many milliseconds. */
const PLACES = { inAll: 8, ofOneUser: 2, wait: 5_000 };
const DOWNLOADS = 5;
const Path = z.string();

type Asking = readonly [surface: Surface, call: Call, caller: SignedCaller];
type Handle = (...asking: Asking) => Promise<Sent>;

export function fileRoutes(surface: Surface): readonly Route[] {
  const route = (method: Route['method'], path: string, handle: Handle): Route => ({
    method,
    path,
    handle: (call, caller) => inTheirWords(() => handle(surface, call, caller)),
  });
  const places = new UploadPlaces(PLACES);
  const uploadIn: Handle = (...asked) => upload(places, ...asked);
  return [
    { ...route('POST', '/session/:id/upload', uploadIn), takesForm: true },
    route('GET', '/session/:id/files', list),
    ...(['GET', 'POST'] as const).flatMap((method) => [
      route(method, '/session/:id/download', download),
      route(method, '/session/:id/download_single', downloadSingle),
    ]),
  ];
}

async function upload(places: UploadPlaces, ...[surface, call, caller]: Asking): Promise<Sent> {
  const session = await runningSession(surface, { call, caller }, 'session.upload');
  const { form } = call;
  if (form === undefined) throw new Refusal('invalid-api-params', 'files are uploaded as multipart/form-data');
  const signal = call.open();
  const take = async (body: Readable): Promise<void> => {
    const uploads = await readUploads(form.contentType, body);
    const files = uploads.map(({ name, content }) => ({ path: parseFilePath(name, session), content }));
    for (const { path, content } of files) {
      await surface.parts.files.write(session, { path, content: only(content), executable: false, signal });
    }
  };
  await places.run({ userId: caller.user.id, signal }, () => takeBody(form.request, { path: 'the form', hurried: true }, take));
  return { status: 204 };
}

async function* only(content: Buffer): AsyncGenerator<Buffer> {
  yield content;
}

async function list(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { path: asked } = check(z.object({ path: Path.default('.') }), call.parameters);
  const session = await runningSession(surface, { call, caller }, 'session.files');
  const path = parseWorkPath(asked, session);
  const { entries } = await surface.parts.files.list(session, path, call.open());
  return {
    status: 200,
    body: { files: JSON.stringify(entries.map(entryOf)), errors: '', abspath: path.text, folder_path: placeOf(path, session) },
  };
}

const entryOf = ({ name, mode, size, changedAt, modifiedAt, accessedAt }: FileEntry) => ({
  mode,
  size,
  ctime: Date.parse(changedAt) / 1000,
  mtime: Date.parse(modifiedAt) / 1000,
  atime: Date.parse(accessedAt) / 1000,
  filename: name,
});

async function download(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { files } = check(
    z.object({ files: z.union([Path.transform((path) => [path]), z.array(Path).min(1).max(DOWNLOADS)]) }),
    call.parameters,
  );
  const archives = await archived(surface, { call, caller, files });
  const boundary = randomBytes(16).toString('hex');
  return { status: 200, bytes: { type: `multipart/mixed; boundary=${boundary}`, content: mixed(archives, boundary) } };
}

async function downloadSingle(surface: Surface, call: Call, caller: SignedCaller): Promise<Sent> {
  const { file } = check(z.object({ file: Path }), call.parameters);
  const [content] = await archived(surface, { call, caller, files: [file] });
  if (content === undefined) throw new Error('one file makes one archive');
  return { status: 200, bytes: { type: 'application/x-tar', content } };
}

interface Asked {
  readonly call: Call;
  readonly caller: SignedCaller;
  readonly files: readonly string[];
}

/** Each is found before the first is sent: afterwards nothing can be refused any more. */
async function archived(surface: Surface, { call, caller, files }: Asked): Promise<readonly Readable[]> {
  const session = await runningSession(surface, { call, caller }, 'session.download');
  const paths = files.map((file) => parseWorkPath(file, session));
  const signal = call.open();
  const archives: Readable[] = [];
  try {
    for (const path of paths) {
      const found = await surface.parts.files.read(session, { path, naming: 'named', signal });
      archives.push(archiveOf(found, nameOf(path, session)));
    }
    return archives;
  } catch (error) {
    for (const archive of archives) archive.destroy();
    throw error;
  }
}

const nameOf = ({ names }: WorkPath, session: Session): string => names.at(-1) ?? session.name;

async function runningSession(surface: Surface, asked: { call: Call; caller: SignedCaller }, action: string): Promise<Session> {
  const found = await findSession(surface, asked, { dead: false });
  refuseStrangers(found, asked.caller);
  refuseUnlessRunning(found.session);
  surface.parts.uses.count(found.session.id);
  audit(asked.caller, action, found.session);
  return found.session;
}

async function inTheirWords<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileRefusal) || error.kind !== 'absent') throw error;
    throw new Refusal('invalid-api-params', error.message, { title: 'The file is not found.', cause: error });
  }
}
