import Docker from 'dockerode';

/** `unix:///run/docker.sock`, `tcp://host:2375`; undefined: DOCKER_HOST, or the usual socket. TLS files as Docker's client finds them. */
export function connectEngine(dockerHost: string | undefined): Docker {
  if (dockerHost === undefined || dockerHost === process.env['DOCKER_HOST']) return new Docker();
  if (dockerHost.startsWith('unix://')) return new Docker({ socketPath: dockerHost.slice('unix://'.length) });
  const { protocol, hostname, port } = new URL(dockerHost);
  return new Docker({ protocol: protocol === 'https:' ? 'https' : 'http', host: hostname, port });
}
