/** Every problem a Berth server answers with: code, HTTP status, title, and the exit code its command line ends with. */
export const PROBLEMS = {
  'bad-request': { status: 400, title: 'The request is malformed', exitCode: 2 },
  'invalid-field': { status: 400, title: 'A field has a value that cannot be used', exitCode: 2 },
  'unsupported-yet': { status: 400, title: 'Not supported yet', exitCode: 2 },
  'not-signed-in': { status: 401, title: 'Not signed in', exitCode: 1 },
  forbidden: { status: 403, title: 'Not allowed', exitCode: 1 },
  'not-found': { status: 404, title: 'Not found', exitCode: 1 },
  'name-taken': { status: 409, title: 'The name is in use', exitCode: 1 },
  'wrong-state': { status: 409, title: 'Not possible in this state', exitCode: 1 },
  'token-reused': { status: 409, title: 'The client token was used for a different request', exitCode: 1 },
  'ambiguous-id': { status: 409, title: 'More than one session fits', exitCode: 1 },
  'too-large': { status: 413, title: 'The body is too large', exitCode: 1 },
  'wrong-content-type': { status: 415, title: 'The body must be JSON', exitCode: 1 },
  'never-fits': { status: 422, title: 'No node could ever run this', exitCode: 1 },
  'too-many-requests': { status: 429, title: 'Too many requests', exitCode: 1 },
  internal: { status: 500, title: 'Berth made a mistake', exitCode: 1 },
  'not-supported': { status: 501, title: 'Not possible on this runtime', exitCode: 1 },
  'engine-unavailable': { status: 503, title: 'The container engine does not answer', exitCode: 1 },
  'database-unavailable': { status: 503, title: 'The database does not answer', exitCode: 1 },
  'shutting-down': { status: 503, title: 'The server is stopping', exitCode: 1 },
} as const satisfies Record<string, { status: number; title: string; exitCode: number }>;

export type ProblemCode = keyof typeof PROBLEMS;
