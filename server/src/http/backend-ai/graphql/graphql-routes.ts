import { execute, GraphQLError, parse, specifiedRules, validate, type DocumentNode, type ExecutionResult } from 'graphql';
import { ProblemError } from '@berth/contract';
import { z } from 'zod';
import { check } from '../../check.ts';
import type { Call, Route, Sent, Surface } from '../call.ts';
import type { Parameters } from '../parameters.ts';
import { asRefusal, Refusal } from '../refusal.ts';
import type { SignedCaller } from '../signature-check.ts';
import { accountQueries } from './account-queries.ts';
import { People } from './people.ts';
import { placeQueries } from './place-queries.ts';
import { MOST, refuseCostly, refuseHugeText } from './query-limits.ts';
import { schema } from './schema.ts';
import { sessionQueries } from './session-queries.ts';

const Value = z.union([z.string().max(65_536), z.number(), z.boolean()]);
const Asked = z.object({
  query: z.string().min(1),
  variables: z.record(z.string().max(64), z.union([Value, z.array(Value).max(100)])).default({}),
  operationName: z.string().max(256).optional(),
});

/** Their two addresses of GraphQL: the older answers the data alone, or a refusal; the newer as GraphQL does everywhere. */
export const graphqlRoutes = (surface: Surface): readonly Route[] => [
  { method: 'POST', path: '/admin/graphql', handle: async (call, caller) => alone(await answer(surface, call, caller)) },
  { method: 'POST', path: '/admin/gql', handle: async (call, caller) => usual(await answer(surface, call, caller)) },
];

function alone({ data, errors = [] }: ExecutionResult): Sent {
  const [first] = errors;
  if (first === undefined) return { status: 200, body: data ?? {} };
  if (isMeant(first.originalError)) throw asRefusal(first.originalError);
  throw new Refusal('graphql-error', first.message, { data: errors.map((error) => error.toJSON()) });
}

const usual = ({ data, errors }: ExecutionResult): Sent => ({
  status: 200,
  body: { data: data ?? null, ...(errors !== undefined && { errors: errors.map((error) => error.toJSON()) }) },
});

async function answer(surface: Surface, { parameters }: Call, caller: SignedCaller): Promise<ExecutionResult> {
  const document = read(parameters);
  if (document instanceof GraphQLError) return { errors: [document] };
  refuseWrites(document);
  refuseCostly(document);
  const { variables, operationName } = check(Asked, parameters);
  const mistakes = validate(schema, document, specifiedRules, { maxErrors: 10 });
  if (mistakes.length > 0) return { errors: mistakes };
  const context = { surface, caller, people: new People(surface, caller) };
  const rootValue = { ...sessionQueries(context), ...accountQueries(context), ...placeQueries(context) };
  const result = await execute({
    schema,
    document,
    rootValue,
    variableValues: variables,
    ...(operationName !== undefined && { operationName }),
  });
  refuseMistakesOfOurs(result);
  return result;
}

function read(parameters: Parameters): DocumentNode | GraphQLError {
  const { query } = check(Asked.pick({ query: true }), parameters);
  refuseHugeText(query);
  try {
    return parse(query, { maxLexicalTokens: MOST.tokens });
  } catch (error) {
    if (error instanceof GraphQLError) return error;
    throw error;
  }
}

function refuseWrites({ definitions }: DocumentNode): void {
  const found = definitions.find((definition) => definition.kind === 'OperationDefinition' && definition.operation !== 'query');
  if (found === undefined) return;
  throw new Refusal(
    'not-implemented',
    "nothing is changed through GraphQL here: users, key pairs and limits are berth's own (`berth user`, `berth keypair`, the server's settings)",
  );
}

/** Only what was said to the client on purpose is in an answer; anything else is a failure of the whole. */
function refuseMistakesOfOurs({ errors = [] }: ExecutionResult): void {
  for (const { originalError } of errors) {
    if (originalError === undefined || originalError instanceof GraphQLError) continue;
    if (!isMeant(originalError) || originalError.status >= 500) throw originalError;
  }
}

/** Said on purpose. */
const isMeant = (error: Error | undefined): error is Refusal | ProblemError => error instanceof Refusal || error instanceof ProblemError;
