import { defineConfig } from 'oxlint';

/**
 * Who may import whom, as ARCHITECTURE.md tells it. A part of the server knows `domain`, the contract and the runtime
 * interface; app.ts alone knows every part. server/test/import-rules.test.ts plants a violation of each line.
 */
const PARTS = ['runtimes', 'storage', 'http', 'gateway', 'reconciler', 'builds', 'inside', 'callbacks'];

const PACKAGES = [
  { names: ['dockerode', '@types/dockerode'], homes: ['runtimes/docker', 'builds'] },
  { names: ['@kubernetes/client-node'], homes: ['runtimes/kubernetes'] },
  { names: ['kysely', 'pg'], homes: ['storage'] },
  { names: ['fastify', '@fastify/busboy', 'graphql'], homes: ['http'] },
];

const IO = [
  'fs',
  'fs/promises',
  'net',
  'tls',
  'dgram',
  'dns',
  'http',
  'https',
  'http2',
  'child_process',
  'worker_threads',
  'cluster',
  'os',
  'process',
  'timers',
];

type Pattern = { message: string } & ({ regex: string } | { group: string[] });

const escaped = (name: string): string => name.replaceAll(/[/.@-]/g, String.raw`\$&`);

/** Packages that have a home, for a folder that is not it. `folder` is '' for everything outside the server. */
function strangers(folder: string): Pattern[] {
  return PACKAGES.filter(({ homes }) => !homes.includes(folder)).flatMap(({ names, homes }) =>
    names.map((name) => ({
      regex: `^${escaped(name)}(/|$)`,
      message: `${name} is used in ${homes.map((home) => `server/src/${home}`).join(' and ')} only: ask for what you need by an interface in domain/ or runtimes/runtime.ts.`,
    })),
  );
}

function otherPart(part: string): Pattern {
  const group = part === 'runtimes' ? ['**/runtimes/**', '!**/runtimes/runtime.ts'] : [`**/${part}/**`];
  return { group, message: `A part of the server does not import ${part}/: put an interface in domain/ and let app.ts hand it in.` };
}

const wiring: Pattern = {
  regex: String.raw`^(\.\./)+(app|main|config)\.ts$`,
  message: 'Only main.ts and app.ts know the wiring and the configuration: take what you need as an argument.',
};

const server: Pattern = {
  regex: String.raw`(^@berth/server(/|$)|^(\.\./)+server/)`,
  message:
    'Outside the server only its contract is known: import @berth/contract. (`berth server` loads @berth/server/main when it is run.)',
};

function importRules(path: string, patterns: readonly Pattern[]) {
  return { files: [`${path}/**/*.ts`, `${path}/**/*.tsx`], rules: { 'no-restricted-imports': ['error', { patterns }] } } as const;
}

const partRules = PARTS.flatMap((part) => {
  const others = PARTS.filter((other) => other !== part).map(otherPart);
  const inner = PACKAGES.flatMap(({ homes }) => homes).filter((home) => home.startsWith(`${part}/`));
  return [part, ...inner].map((home) => importRules(`server/src/${home}`, [...others, wiring, ...strangers(home)]));
});

const domainRules: readonly Pattern[] = [
  {
    regex: String.raw`^(\.\./)+(runtimes|storage|http|gateway|reconciler|builds|inside|callbacks|app|main|config|problems|telemetry|kill-points)\b`,
    message: 'domain/ knows nothing of the rest of the server: describe what it needs by an interface inside domain/.',
  },
  {
    regex: `^(node:)?(${IO.join('|')})$`,
    message: 'domain/ does no input or output: hand in what was read, and the time, as arguments.',
  },
  wiring,
  ...strangers('domain'),
];

export default defineConfig({
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'promise'],
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['docs/openapi.json'],
  options: { typeAware: true },
  rules: {
    'import/no-cycle': 'error',
    'oxc/no-barrel-file': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/ban-ts-comment': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/consistent-type-imports': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/no-base-to-string': 'off',
    // The compiler's noImplicitReturns knows exhaustive switches, these two do not.
    'typescript/consistent-return': 'off',
    'promise/always-return': 'off',
    'promise/no-callback-in-promise': 'off',
    'promise/no-promise-in-callback': 'off',
    'typescript/no-unnecessary-boolean-literal-compare': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'no-empty': 'error',
    'max-lines': ['error', { max: 400 }],
    'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
    'max-params': ['error', { max: 4 }],
  },
  overrides: [
    importRules('server/src', strangers('')),
    importRules('contract', [server, ...strangers('')]),
    importRules('cli', [server, ...strangers('')]),
    importRules('web', [server, ...strangers('')]),
    importRules('server/src/domain', domainRules),
    ...partRules,
    {
      // Plain JavaScript for any Node from 18 on: no types to go by, and no ES2023.
      files: ['scripts/**'],
      rules: {
        'unicorn/no-array-reverse': 'off',
        'unicorn/no-array-sort': 'off',
        'typescript/restrict-template-expressions': 'off',
        'max-lines-per-function': 'off',
      },
    },
    { files: ['**/*.test.ts', '**/test/**', 'server/src/runtimes/runtime-conformance.ts'], rules: { 'max-lines-per-function': 'off' } },
  ],
});
