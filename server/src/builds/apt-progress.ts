/**
 * Follows what apt prints (in English), on its own or under mmdebstrap, and reports a line per step and per tenth of the
 * packages. Only a display: nothing is decided by it.
 */
export function aptProgress(report: (line: string) => void): (line: string) => void {
  let packages = 0;
  let seen = 0;
  let shownTenths = 0;
  return (line) => {
    const begun = /(\d+) newly installed/.exec(line)?.[1];
    if (begun !== undefined) {
      packages = Number(begun);
      seen = 0;
      shownTenths = 0;
      return;
    }
    const size = /^Need to get (?:[\d.,]+ \wB\/)?([\d.,]+ \w?B) of archives/.exec(line)?.[1];
    if (size !== undefined) return report(`installing ${packages} packages, ${size} to download`);
    if (line.startsWith('I: running apt-get update')) return report('reading the package lists');
    if (line.startsWith('I: creating tarball')) return report('packing the image');
    if (!/^(?:Get:\d+|Unpacking|Setting up) /.test(line) || packages === 0) return;
    seen += 1;
    // Every package is seen three times: fetched, unpacked, set up.
    const tenths = Math.min(10, Math.floor((seen * 10) / (packages * 3)));
    if (tenths > shownTenths) report(`installing ${packages} packages: ${tenths * 10} %`);
    shownTenths = Math.max(shownTenths, tenths);
  };
}
