import { z } from 'zod';
import { ChangeUser, CreateKeypair, CreateToken, CreateUser, Keypair, NewKeypair, NewToken, Node, Token, User } from './account.ts';
import { ContainerName } from './cluster.ts';
import { CommitSession } from './commit.ts';
import { endpoint, stream } from './endpoint.ts';
import { CompleteCode, Completions, InterruptRun, Run, RunCode } from './execution.ts';
import { FilePath, FileWritten, FolderListing, FolderPath } from './files.ts';
import { ControlFromServer } from './frames.ts';
import { CreateSession, ListSessions, RenameSession, Session, SessionEvent } from './session.ts';
import { SessionStatistics } from './statistics.ts';
import { CreateStorage, Storage } from './storage.ts';

const SessionParams = z.object({ session: z.string().min(1).max(128).meta({ description: 'Id, unique beginning of an id, or name' }) });
const StorageParams = z.object({ storage: z.string().min(1).max(128).meta({ description: 'Id or name' }) });
const Empty = z.strictObject({});
const Container = ContainerName.default('main1').meta({ description: 'One of its containers: main1, sub1, sub2, …' });
const TerminalSide = z.coerce.number().int().min(1).max(10_000).optional();
const Page = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50), cursor: z.string().max(256).optional() });
const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: z.string().nullable().meta({ description: 'Cursor of the next page' }) });

export const api = {
  getVersion: endpoint({
    method: 'GET',
    path: '/api/version',
    summary: 'What this server is',
    open: true,
    problems: [],
    response: z.object({ name: z.literal('berth'), version: z.string(), api: z.literal(1) }),
  }),
  getMe: endpoint({ method: 'GET', path: '/api/me', summary: 'Who you are signed in as', problems: ['not-signed-in'], response: User }),
  getCallbackKey: endpoint({
    method: 'GET',
    path: '/api/me/callback-key',
    summary: 'With what the callbacks of your sessions are signed',
    problems: ['not-signed-in'],
    response: z.object({ key: z.string().meta({ description: 'The text of it is the key of the HMAC' }) }),
  }),

  createSession: endpoint({
    method: 'POST',
    path: '/api/sessions',
    summary: 'Ask for a session',
    status: 201,
    body: CreateSession,
    response: Session,
    problems: ['invalid-field', 'unsupported-yet', 'not-found', 'name-taken', 'token-reused', 'never-fits'],
  }),
  listSessions: endpoint({
    method: 'GET',
    path: '/api/sessions',
    summary: 'Sessions, newest first',
    query: ListSessions,
    response: pageOf(Session),
    problems: ['invalid-field'],
  }),
  getSession: endpoint({
    method: 'GET',
    path: '/api/sessions/:session',
    summary: 'One session',
    params: SessionParams,
    response: Session,
    problems: ['not-found', 'ambiguous-id'],
  }),
  terminateSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/terminate',
    summary: 'Want it ended',
    params: SessionParams,
    body: Empty,
    response: Session,
    problems: ['not-found', 'ambiguous-id'],
  }),
  restartSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/restart',
    summary: 'Want its main process started afresh in the same container',
    params: SessionParams,
    body: Empty,
    response: Session,
    problems: ['not-found', 'wrong-state'],
  }),
  pauseSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/pause',
    summary: 'Want it paused: files kept, compute released',
    params: SessionParams,
    body: Empty,
    response: Session,
    problems: ['not-found', 'wrong-state'],
  }),
  resumeSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/resume',
    summary: 'Want it running again',
    params: SessionParams,
    body: Empty,
    response: Session,
    problems: ['not-found', 'wrong-state'],
  }),

  renameSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/rename',
    summary: 'Call a live session by another name',
    params: SessionParams,
    body: RenameSession,
    response: Session,
    problems: ['invalid-field', 'not-found', 'ambiguous-id', 'wrong-state', 'name-taken'],
  }),

  getSessionStatistics: endpoint({
    method: 'GET',
    path: '/api/sessions/:session/statistics',
    summary: 'What it has used so far, counted now if it runs',
    params: SessionParams,
    response: SessionStatistics,
    problems: ['not-found', 'ambiguous-id'],
  }),
  commitSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/commit',
    summary: 'Make an image of its files; how far that is stands in the session, as `commit`',
    status: 202,
    params: SessionParams,
    body: CommitSession,
    response: Session,
    problems: ['invalid-field', 'not-found', 'ambiguous-id', 'wrong-state', 'not-supported'],
  }),

  runInSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/executions',
    summary: 'Run code in a running session, or ask how that goes on',
    params: SessionParams,
    body: RunCode,
    response: Run,
    problems: ['invalid-field', 'forbidden', 'not-found', 'ambiguous-id', 'wrong-state', 'too-many-requests'],
  }),
  interruptSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/interrupt',
    summary: 'Interrupt code that runs in a session, as Ctrl+C would; none running is no failure',
    params: SessionParams,
    body: InterruptRun,
    response: Session,
    problems: ['invalid-field', 'forbidden', 'not-found', 'ambiguous-id', 'wrong-state'],
  }),
  completeInSession: endpoint({
    method: 'POST',
    path: '/api/sessions/:session/complete',
    summary: 'What a line of code may go on with; nothing while code runs',
    params: SessionParams,
    body: CompleteCode,
    response: Completions,
    problems: ['invalid-field', 'forbidden', 'not-found', 'ambiguous-id', 'wrong-state'],
  }),

  createStorage: endpoint({
    method: 'POST',
    path: '/api/storages',
    summary: 'A new storage: a folder that outlives sessions',
    status: 201,
    body: CreateStorage,
    response: Storage,
    problems: ['invalid-field', 'not-found', 'name-taken', 'token-reused'],
  }),
  listStorages: endpoint({
    method: 'GET',
    path: '/api/storages',
    summary: 'Storages, newest first',
    query: Page.extend({
      owner: z.string().max(64).optional().meta({ description: 'A user, by name or id, or "*" for everybody (admins); default: yourself' }),
    }),
    response: pageOf(Storage),
    problems: ['invalid-field', 'forbidden', 'not-found'],
  }),
  getStorage: endpoint({
    method: 'GET',
    path: '/api/storages/:storage',
    summary: 'One storage, until nothing of it is left',
    params: StorageParams,
    response: Storage,
    problems: ['not-found'],
  }),
  deleteStorage: endpoint({
    method: 'DELETE',
    path: '/api/storages/:storage',
    summary: 'Delete a storage and all that is in it; refused while a live session mounts it',
    params: StorageParams,
    response: Storage,
    problems: ['not-found', 'wrong-state'],
  }),

  listFiles: endpoint({
    method: 'GET',
    path: '/api/sessions/:session/file-list',
    summary: 'What is in a folder of a running session',
    params: SessionParams,
    query: z.object({ path: FolderPath }),
    response: FolderListing,
    problems: ['invalid-field', 'not-found', 'ambiguous-id', 'wrong-state', 'engine-unavailable'],
  }),

  listNodes: endpoint({
    method: 'GET',
    path: '/api/nodes',
    summary: 'Machines, what they have and what is free',
    query: Page,
    response: pageOf(Node),
    problems: [],
  }),

  createToken: endpoint({
    method: 'POST',
    path: '/api/tokens',
    summary: 'A new token; its secret is shown once',
    status: 201,
    body: CreateToken,
    response: NewToken,
    problems: ['invalid-field', 'forbidden', 'not-found'],
  }),
  listTokens: endpoint({
    method: 'GET',
    path: '/api/tokens',
    summary: 'Your tokens, newest first',
    query: Page,
    response: pageOf(Token),
    problems: [],
  }),
  revokeToken: endpoint({
    method: 'DELETE',
    path: '/api/tokens/:token',
    summary: 'Revoke a token, at once',
    params: z.object({ token: z.string() }),
    response: Token,
    problems: ['not-found'],
  }),

  createKeypair: endpoint({
    method: 'POST',
    path: '/api/keypairs',
    summary: 'A new key pair, for clients that sign their requests; its secret key is shown once',
    status: 201,
    body: CreateKeypair,
    response: NewKeypair,
    problems: ['invalid-field', 'forbidden', 'not-found'],
  }),
  listKeypairs: endpoint({
    method: 'GET',
    path: '/api/keypairs',
    summary: 'Your key pairs, newest first',
    query: Page.extend({
      user: z.string().max(64).optional().meta({ description: 'A user, by name or id, or "*" for everybody (admins); default: yourself' }),
    }),
    response: pageOf(Keypair),
    problems: ['forbidden', 'not-found'],
  }),
  revokeKeypair: endpoint({
    method: 'DELETE',
    path: '/api/keypairs/:keypair',
    summary: 'Revoke a key pair, at once',
    params: z.object({ keypair: z.string().meta({ description: 'Id or access key' }) }),
    response: Keypair,
    problems: ['not-found'],
  }),

  createUser: endpoint({
    method: 'POST',
    path: '/api/users',
    summary: 'A new user (admins)',
    status: 201,
    body: CreateUser,
    response: User,
    problems: ['invalid-field', 'forbidden', 'name-taken'],
  }),
  listUsers: endpoint({
    method: 'GET',
    path: '/api/users',
    summary: 'Users (admins)',
    query: Page,
    response: pageOf(User),
    problems: ['forbidden'],
  }),
  changeUser: endpoint({
    method: 'PATCH',
    path: '/api/users/:user',
    summary: 'Disable or enable a user (admins)',
    params: z.object({ user: z.string() }),
    body: ChangeUser,
    response: User,
    problems: ['forbidden', 'not-found'],
  }),
};
export type Api = typeof api;

export const streams = {
  watchSessions: stream({
    kind: 'sse',
    path: '/api/events',
    summary: 'What happens to your sessions, as it happens; resumes after Last-Event-ID',
    query: z.object({ after: z.string().optional() }),
    message: SessionEvent,
    problems: [],
  }),
  watchSession: stream({
    kind: 'sse',
    path: '/api/sessions/:session/events',
    summary: 'What happens to one session, from its beginning or after Last-Event-ID; ends when it has ended',
    params: SessionParams,
    query: z.object({ after: z.string().optional() }),
    message: SessionEvent,
    problems: ['not-found'],
  }),
  sessionLogs: stream({
    kind: 'bytes',
    path: '/api/sessions/:session/logs',
    summary: 'What it printed; kept after it ended',
    params: SessionParams,
    query: z.object({
      tail: z.coerce.number().int().min(0).max(1_000_000).optional(),
      follow: z.stringbool().default(false),
      stream: z.enum(['stdout', 'stderr', 'both']).default('both'),
      container: Container,
    }),
    message: z.string(),
    problems: ['not-found'],
  }),
  downloadFile: stream({
    kind: 'bytes',
    path: '/api/sessions/:session/files',
    summary: 'A file of a running session as it is, or a folder as a tar archive of what is in it (application/x-tar)',
    params: SessionParams,
    query: z.object({ path: FolderPath }),
    message: z.string(),
    media: ['application/octet-stream', 'application/x-tar'],
    problems: ['invalid-field', 'not-found', 'ambiguous-id', 'wrong-state', 'too-large', 'engine-unavailable'],
  }),
  uploadFile: stream({
    kind: 'upload',
    path: '/api/sessions/:session/files',
    summary: 'Write a file of a running session, all or nothing; missing folders are made, a file of that name is replaced',
    params: SessionParams,
    query: z.object({ path: FilePath, executable: z.stringbool().default(false) }),
    message: FileWritten,
    problems: ['invalid-field', 'bad-request', 'not-found', 'ambiguous-id', 'wrong-state', 'too-large', 'engine-unavailable'],
  }),
  attachSession: stream({
    kind: 'websocket',
    path: '/api/sessions/:session/attach',
    summary: 'The terminal of the main process; waits while the session starts',
    params: SessionParams,
    query: z.object({
      rows: TerminalSide,
      cols: TerminalSide,
      replay: z.stringbool().default(true),
      stdin: z.stringbool().default(true),
      container: Container,
    }),
    message: ControlFromServer,
    problems: ['not-found', 'wrong-state'],
  }),
  execSession: stream({
    kind: 'websocket',
    path: '/api/sessions/:session/exec',
    summary: 'One more process in a running session',
    params: SessionParams,
    query: z.object({
      command: z.string().meta({ description: 'JSON array of arguments; empty: a login shell' }),
      tty: z.stringbool().default(false),
      rows: TerminalSide,
      cols: TerminalSide,
      container: Container,
    }),
    message: ControlFromServer,
    problems: ['not-found', 'wrong-state', 'invalid-field'],
  }),
};
export type Streams = typeof streams;
