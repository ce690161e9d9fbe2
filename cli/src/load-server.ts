/** Only for the commands that are the server's own work: it takes longer to load than any other command to run. */
// oxlint-disable-next-line no-restricted-imports -- the one door between the two
export const loadServer = () => import('@berth/server/main');
