/** `npm run bench -- NAME [options]`: measurements, each in a file of its name beside this one. */
const BENCHES: Readonly<Record<string, () => Promise<{ run: (args: readonly string[]) => Promise<void> }>>> = {
  api: () => import('./api.ts'),
  start: () => import('./start.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = BENCHES[name];
if (load === undefined) {
  console.error(`npm run bench -- NAME, where NAME is one of: ${Object.keys(BENCHES).join(', ')}`);
  process.exitCode = 2;
} else {
  await (await load()).run(args);
}
