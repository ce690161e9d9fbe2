/** The engines that session tests run on. npm test starts both; under CI a missing one is a failure, never a skip. */
export const ENGINES: readonly { readonly name: string; readonly host: string }[] = [
  { name: 'Docker', host: process.env['BERTH_TEST_DOCKER'] ?? '' },
  { name: 'Podman', host: process.env['BERTH_TEST_PODMAN'] ?? '' },
].filter(({ name, host }) => {
  if (host === '' && process.env['CI'] === 'true')
    throw new Error(`no ${name}: npm test starts one and names it in BERTH_TEST_${name.toUpperCase()}`);
  return host !== '';
});
