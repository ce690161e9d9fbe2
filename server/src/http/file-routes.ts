import { FileWritten, streams, type FolderListing } from '@berth/contract';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FileRefusal } from '../domain/files/file-refusal.ts';
import { FILE_LIMITS } from '../domain/files/limits.ts';
import { parseFilePath, parseWorkPath, placeOf } from '../domain/files/work-path.ts';
import type { Session } from '../domain/sessions/session.ts';
import { attachment } from './attachment.ts';
import { audit, type Caller } from './caller.ts';
import { refuseUnlessRunning } from './exec.ts';
import type { HttpParts } from './parts.ts';
import type { Handlers } from './route.ts';
import { findSession } from './session-access.ts';
import { checked, openFor, type StreamParts } from './stream-routes.ts';
import { takeBody } from './take-body.ts';

export function fileHandlers(parts: HttpParts): Pick<Handlers, 'listFiles'> {
  return {
    async listFiles({ params, query }, caller): Promise<FolderListing> {
      const session = await runningSession(parts, params.session, caller);
      const path = parseWorkPath(query.path, session);
      audit(caller, 'session.files', session);
      const { entries, complete } = await parts.files.list(session, path, new AbortController().signal);
      return { path: path.text, folder: placeOf(path, session), entries: [...entries], complete };
    },
  };
}

/** Files on their way in and out: bodies of any length, and of any content type. */
export function mountFiles(app: FastifyInstance, context: StreamParts): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // The body stays where it is, until somebody takes it.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const onRequest = async (request: FastifyRequest): Promise<void> => void (await context.callerOf(request));
    const url = streams.uploadFile.path;
    scope.route({ method: 'PUT', url, onRequest, handler: (request, reply) => upload(context, request, reply) });
    scope.route({ method: 'GET', url, exposeHeadRoute: false, handler: (request, reply) => download(context, request, reply) });
  });
}

async function upload(context: StreamParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { parts } = context;
  const caller = await context.callerOf(request);
  const { params, query } = checked(streams.uploadFile, request);
  const session = await runningSession(parts, params.session, caller);
  const path = parseFilePath(query.path, session);
  audit(caller, 'session.upload', session);
  const signal = openFor(context, { caller, reply });
  // What is announced as too large need not come first.
  if (Number(request.headers['content-length']) > FILE_LIMITS.bytes) throw new FileRefusal('too-large', path.text);
  const size = await takeBody(request.raw, { path: path.text, hurried: false }, (content) =>
    parts.files.write(session, { path, content, executable: query.executable, signal }),
  );
  return reply.send(FileWritten.parse({ path: path.text, size }));
}

async function download(context: StreamParts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { parts } = context;
  const caller = await context.callerOf(request);
  const { params, query } = checked(streams.downloadFile, request);
  const session = await runningSession(parts, params.session, caller);
  const path = parseWorkPath(query.path, session);
  audit(caller, 'session.download', session);
  const found = await parts.files.read(session, { path, naming: 'inner', signal: openFor(context, { caller, reply }) });
  const name = path.names.at(-1) ?? session.name;
  // Written by code that is taken to be hostile: no browser is to show it, or to guess what it is.
  void reply.header('content-security-policy', "default-src 'none'; sandbox");
  if (found.kind === 'folder') {
    return reply.headers({ 'content-type': 'application/x-tar', 'content-disposition': attachment(`${name}.tar`) }).send(found.content);
  }
  return reply
    .headers({ 'content-type': 'application/octet-stream', 'content-disposition': attachment(name), 'content-length': found.size })
    .send(found.content);
}

async function runningSession(parts: HttpParts, text: string, caller: Caller): Promise<Session> {
  const session = await findSession(parts.sessions, caller, { text, access: 'content' });
  refuseUnlessRunning(session);
  return session;
}
