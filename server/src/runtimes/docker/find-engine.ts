import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where the engine is reached: DOCKER_HOST, then Docker's usual sockets, then Podman's; Docker's own when there is none, so that its absence is what is reported. */
export function findEngine(configured: string | undefined, env: NodeJS.ProcessEnv): string {
  if (configured !== undefined && configured !== '') return configured;
  const runtimeFolder = env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`;
  const sockets = [
    '/var/run/docker.sock',
    join(runtimeFolder, 'docker.sock'),
    '/run/podman/podman.sock',
    join(runtimeFolder, 'podman/podman.sock'),
  ];
  return `unix://${sockets.find((path) => existsSync(path)) ?? sockets[0]}`;
}
