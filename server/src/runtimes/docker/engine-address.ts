import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DockerOptions } from 'dockerode';
import { RuntimeError } from '../runtime.ts';

/** Where an engine listens. `socket` only where that is a path of this machine. */
export interface EngineAddress {
  readonly text: string;
  readonly socket: string | null;
  readonly connection: DockerOptions;
}

// dockerode fills what is not given from DOCKER_HOST: an address is therefore always complete.
const NOTHING: DockerOptions = {
  host: undefined,
  port: undefined,
  socketPath: undefined,
  protocol: undefined,
  username: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
};

/** The grammar of DOCKER_HOST: unix:///path, tcp://host:port, http(s)://host:port, ssh://user@host. A bare path is a socket. */
export function parseEngineAddress(text: string, environment: Readonly<Record<string, string | undefined>> = process.env): EngineAddress {
  if (text.startsWith('/')) return socketAt(text, text);
  if (text.startsWith('unix://')) return socketAt(text, text.slice('unix://'.length) || '/var/run/docker.sock');
  const url = URL.parse(text);
  switch (url?.protocol) {
    case 'ssh:': {
      const agent = environment['SSH_AUTH_SOCK'];
      const login = { protocol: 'ssh' as const, host: url.hostname, port: url.port || 22, username: url.username || undefined };
      return { text, socket: null, connection: { ...NOTHING, ...login, ...(agent === undefined ? {} : { sshOptions: { agent } }) } };
    }
    case 'tcp:':
    case 'http:':
    case 'https:': {
      const secure = url.protocol === 'https:' || environment['DOCKER_TLS_VERIFY'] === '1' || url.port === '2376';
      return {
        text,
        socket: null,
        connection: {
          ...NOTHING,
          protocol: secure ? 'https' : 'http',
          host: url.hostname,
          port: url.port || (secure ? 2376 : 2375),
          ...(secure ? certificates(environment) : {}),
        },
      };
    }
    default:
      throw new RuntimeError('fatal', {
        code: 'engine-unavailable',
        message: `"${text}" is not the address of a container engine`,
        remedy: 'Set DOCKER_HOST to unix:///path/to/socket, tcp://host:port or ssh://user@host.',
      });
  }
}

const socketAt = (text: string, path: string): EngineAddress => ({ text, socket: path, connection: { ...NOTHING, socketPath: path } });

function certificates(environment: Readonly<Record<string, string | undefined>>): DockerOptions {
  const folder = environment['DOCKER_CERT_PATH'];
  if (folder === undefined) return {};
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}
