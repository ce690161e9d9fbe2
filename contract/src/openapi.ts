import { z } from 'zod';
import { Keypair, NewKeypair, NewToken, Node, Token, User } from './account.ts';
import type { Endpoint, StreamEndpoint } from './endpoint.ts';
import { ControlFromClient, ControlFromServer } from './frames.ts';
import { FileEntry, FileWritten, FolderListing } from './files.ts';
import { Problem } from './problem.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';
import { Cause, CreateSession, LaunchStep, Session, SessionEvent, Waiting } from './session.ts';
import { Statistics } from './statistics.ts';

type Json = Record<string, unknown>;
export interface Tables {
  readonly api: Readonly<Record<string, Endpoint>>;
  readonly streams: Readonly<Record<string, StreamEndpoint>>;
  readonly version: string;
}

const NAMED = {
  Session,
  CreateSession,
  SessionEvent,
  Cause,
  LaunchStep,
  Waiting,
  Statistics,
  User,
  Token,
  NewToken,
  Keypair,
  NewKeypair,
  Node,
  Problem,
  ControlFromClient,
  FileEntry,
  FileWritten,
  FolderListing,
  ControlFromServer,
};

/** The whole API as an OpenAPI 3.1 document: a pure function of the tables. */
export function toOpenApi({ api, streams, version }: Tables): Json {
  const schemas = new Schemas();
  const paths: Record<string, Json> = {};
  const add = (path: string, method: string, operation: Json): void => {
    const template = path.replaceAll(/:(\w+)/g, '{$1}');
    paths[template] = { ...paths[template], [method.toLowerCase()]: operation };
  };
  for (const [name, endpoint] of Object.entries(api)) add(endpoint.path, endpoint.method, operationOf(name, endpoint, schemas));
  for (const [name, endpoint] of Object.entries(streams)) {
    if (endpoint.kind === 'upload') add(endpoint.path, 'put', uploadOf(name, endpoint, schemas));
    else add(endpoint.path, 'get', streamOf(name, { ...endpoint, kind: endpoint.kind }, schemas));
  }
  schemas.reference(ControlFromClient, 'input');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Berth',
      version,
      description: 'Compute sessions on Docker, Podman and Kubernetes.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'A token of `berth token create`' } },
      schemas: schemas.components,
    },
  };
}

function operationOf(name: string, endpoint: Endpoint, schemas: Schemas): Json {
  const status = String(endpoint.status ?? 200);
  const answer = { description: 'Done', content: { 'application/json': { schema: schemas.reference(endpoint.response, 'output') } } };
  const again =
    name === 'createSession' ? { 200: { ...answer, description: 'The client token was used before: the session made then' } } : {};
  return {
    ...described(name, endpoint, schemas),
    ...(endpoint.body === undefined
      ? {}
      : { requestBody: { content: { 'application/json': { schema: schemas.reference(endpoint.body, 'input') } } } }),
    ...(endpoint.open === true ? { security: [] } : {}),
    responses: { ...again, [status]: answer, ...problemsOf(endpoint, schemas) },
  };
}

/** What OpenAPI cannot say of an open connection stands in `x-berth-kind` and `x-berth-message`. */
function streamOf(name: string, endpoint: StreamEndpoint & { kind: 'sse' | 'bytes' | 'websocket' }, schemas: Schemas): Json {
  const message = schemas.reference(endpoint.message, 'output');
  const answer = {
    sse: { 200: { description: 'Events as they happen', content: { 'text/event-stream': { schema: { type: 'string' } } } } },
    bytes: { 200: { description: 'The bytes', content: Object.fromEntries((endpoint.media ?? [BYTES]).map((type) => [type, {}])) } },
    websocket: {
      101: {
        description: 'A WebSocket; each message is one channel byte (0 input, 1 output, 2 errors, 3 control as JSON) and its payload',
      },
    },
  }[endpoint.kind];
  return {
    ...described(name, endpoint, schemas),
    'x-berth-kind': endpoint.kind,
    ...(endpoint.kind === 'bytes' ? {} : { 'x-berth-message': message }),
    responses: { ...answer, ...problemsOf(endpoint, schemas) },
  };
}

const BYTES = 'application/octet-stream';

function uploadOf(name: string, endpoint: StreamEndpoint, schemas: Schemas): Json {
  const answer = { description: 'Done', content: { 'application/json': { schema: schemas.reference(endpoint.message, 'output') } } };
  return {
    ...described(name, endpoint, schemas),
    requestBody: { content: { [BYTES]: {} } },
    responses: { 200: answer, ...problemsOf(endpoint, schemas) },
  };
}

function described(name: string, endpoint: Endpoint | StreamEndpoint, schemas: Schemas): Json {
  const parameters = [...parametersOf(endpoint.params, 'path', schemas), ...parametersOf(endpoint.query, 'query', schemas)];
  return { operationId: name, summary: endpoint.summary, ...(parameters.length === 0 ? {} : { parameters }) };
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query', schemas: Schemas): Json[] {
  return Object.entries(schema?.shape ?? {}).map(([name, field]) => {
    const { description, ...rest } = schemas.reference(field as z.ZodType, 'input');
    const required = place === 'path' || !(field as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema: rest };
  });
}

/** One response per status; which codes it may carry stands in its description. */
function problemsOf(
  endpoint: { readonly problems: readonly ProblemCode[]; readonly open?: boolean; readonly body?: z.ZodType },
  schemas: Schemas,
): Json {
  const usual: ProblemCode[] =
    endpoint.open === true ? ['internal'] : ['not-signed-in', 'forbidden', 'internal', 'database-unavailable', 'shutting-down'];
  const withBody: ProblemCode[] = endpoint.body === undefined ? [] : ['bad-request', 'too-large', 'wrong-content-type'];
  const codes = [...new Set([...endpoint.problems, ...usual, ...withBody])];
  const responses: Record<string, Json> = {};
  for (const [status, sharing] of Object.entries(Object.groupBy(codes, (code) => String(PROBLEMS[code].status)))) {
    const description = (sharing ?? []).map((code) => `${code}: ${PROBLEMS[code].title}`).join('; ');
    responses[status] = { description, content: { 'application/problem+json': { schema: schemas.reference(Problem, 'output') } } };
  }
  return responses;
}

/** Schemas of the document; the named ones are written once and referred to. */
class Schemas {
  readonly components: Record<string, Json> = {};
  readonly #names = z.registry<{ id: string }>();

  constructor() {
    for (const [id, schema] of Object.entries(NAMED)) this.#names.add(schema, { id });
  }

  reference(schema: z.ZodType, io: 'input' | 'output'): Json {
    const meta = z.globalRegistry.get(schema);
    const whole = JSON.stringify(z.toJSONSchema(schema, { metadata: this.#names, io, unrepresentable: 'any' })).replaceAll(
      '"#/$defs/',
      '"#/components/schemas/',
    );
    const { $defs, $schema: _, id: __, ...own } = JSON.parse(whole) as Json & { $defs?: Record<string, Json> };
    for (const [name, definition] of Object.entries($defs ?? {})) this.components[name] ??= withoutId(definition);
    return { ...own, ...(meta?.description === undefined ? {} : { description: meta.description }) };
  }
}

function withoutId(definition: Json): Json {
  const { id: _, ...rest } = definition;
  return rest;
}
