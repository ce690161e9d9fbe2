import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { join, resolve } from 'node:path/posix';
import type { Duplex } from 'node:stream';
import type { ContainerInspectInfo } from 'dockerode';
import { RuntimeError, type ExecRequest, type Terminal } from '../runtime.ts';
import { LOGIN_SHELL } from '../login-shell.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineRefusal } from './errors.ts';
import { resized, terminalOf } from './terminal.ts';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;

/** One more process in a running container, as the container's user and in its working folder. */
export async function execIn(engine: EngineClient, container: ContainerInspectInfo, request: ExecRequest, log: Log): Promise<Terminal> {
  const marker = `BERTH_EXEC=${randomUUID()}`;
  const tty = request.tty !== null;
  const exec = await refusalInWords(() =>
    engine.call('engine.container-exec', (docker) =>
      docker.getContainer(container.Id).exec({
        Cmd: [...(request.command.length === 0 ? LOGIN_SHELL : request.command)],
        Env: [marker, ...(tty ? ['TERM=xterm-256color'] : [])],
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: tty,
      }),
    ),
  );
  const socket = await refusalInWords(() =>
    engine.open('engine.container-exec', async (_docker, abortSignal): Promise<Duplex> =>
      exec.start({ hijack: true, stdin: true, Tty: tty, abortSignal }),
    ),
  );
  const resize = async (size: { rows: number; cols: number }): Promise<void> =>
    resized(() => engine.call('engine.container-exec', () => exec.resize({ h: size.rows, w: size.cols })));
  const terminal = terminalOf({
    socket,
    tty,
    resize,
    exitCode: async (isClosed) => {
      const code = await exitCodeOf(engine, () => exec.inspect(), isClosed);
      return code === 126 && !(await hasProgram(engine, container, request.command[0] ?? '/bin/sh')) ? 127 : code;
    },
    hangUp: () =>
      void hangUp(engine, container, marker).catch((error: unknown) =>
        log('warn', 'an abandoned exec process may go on', { container: container.Name, error: String(error) }),
      ),
  });
  if (request.tty !== null) await resize(request.tty);
  return terminal;
}

const LONGEST_PAUSE_MS = 1000;

async function exitCodeOf(
  engine: EngineClient,
  inspect: () => Promise<{ Running: boolean; ExitCode: number | null }>,
  isClosed: () => boolean,
): Promise<number | undefined> {
  // The streams may end a little before the process does; one that goes on without them is not waited for where nobody is left.
  for (let pause = 5; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const state = await engine.find('engine.container-exec', inspect);
    if (state === undefined) return undefined;
    if (!state.Running) return state.ExitCode ?? undefined;
    if (pause === LONGEST_PAUSE_MS && isClosed()) return undefined;
    await delay(pause);
  }
}

/** Docker says 126 for whatever it could not execute; people and scripts expect 127 for what is not there. */
async function hasProgram(engine: EngineClient, container: ContainerInspectInfo, program: string): Promise<boolean> {
  const folders = container.Config.Env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
  const paths = program.includes('/')
    ? [resolve(container.Config.WorkingDir, program)]
    : folders.split(':').map((folder) => join(folder, program));
  for (const path of paths) {
    const found = await engine.find('engine.container-archive', (docker) => docker.getContainer(container.Id).infoArchive({ path }));
    if (found !== undefined) return true;
  }
  return false;
}
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * What a terminal does when its user walks away: a hang-up for the process the engine put into the container (its parent
 * is outside, so 0), found by its marker. The engine itself would let it run for ever.
 */
async function hangUp(engine: EngineClient, container: ContainerInspectInfo, marker: string): Promise<void> {
  const script =
    'for p in /proc/[0-9]*; do grep -q "$1" $p/environ 2>/dev/null && grep -q "^PPid:[[:space:]]0$" $p/status && kill -HUP ${p#/proc/}; done';
  const exec = await engine.call('engine.container-exec', (docker) =>
    docker.getContainer(container.Id).exec({ Cmd: ['/bin/sh', '-c', script, 'sh', marker] }),
  );
  await engine.call('engine.container-exec', () => exec.start({ Detach: true }));
}

async function refusalInWords<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!(error instanceof EngineRefusal)) throw error;
    const gone = error.status === 404;
    throw new RuntimeError(
      gone ? 'fatal' : 'retry',
      {
        code: gone ? 'container-lost' : 'rejected',
        message: gone
          ? 'the session has no container in which a command could run'
          : `a command cannot be run in the session now: ${error.said}`,
        remedy: gone ? 'Start the session again.' : 'Wait until it is running, or resume it.',
      },
      { cause: error },
    );
  }
}
