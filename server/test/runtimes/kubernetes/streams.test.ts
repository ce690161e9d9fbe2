import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { attachTo } from '../../../src/runtimes/kubernetes/attach-session.ts';
import { ClusterClient } from '../../../src/runtimes/kubernetes/cluster-client.ts';
import { ClusterRefusal } from '../../../src/runtimes/kubernetes/errors.ts';
import { execIn } from '../../../src/runtimes/kubernetes/exec-session.ts';
import { DECODE_STDIN } from '../../../src/runtimes/kubernetes/gate.ts';
import { logsOf } from '../../../src/runtimes/kubernetes/log-stream.ts';
import { labelsOfRef } from '../../../src/runtimes/kubernetes/names.ts';
import { Tunnels } from '../../../src/runtimes/kubernetes/tunnel.ts';
import { watchPods } from '../../../src/runtimes/kubernetes/watch-pods.ts';
import { RuntimeError, type ContainerRef, type LogOptions, type Terminal } from '../../../src/runtimes/runtime.ts';
import { ApiRelay, ClusterBed, KUBECONFIG } from './cluster-bed.ts';

const log = vi.fn<(level: string, message: string, fields: Record<string, unknown>) => void>();

/** Everything there is to know of a process that ends by itself. */
async function ended(terminal: Terminal): Promise<{ stdout: string; stderr: string; exitCode: number | undefined }> {
  const [stdout, stderr, exitCode] = await Promise.all([text(terminal.stdout), text(terminal.stderr), terminal.exited]);
  return { stdout, stderr, exitCode };
}

/** Reads on until the text has come by. */
async function until(terminal: Terminal, expected: string): Promise<string> {
  let seen = '';
  for await (const data of terminal.stdout.iterator({ destroyOnReturn: false })) {
    seen += String(data);
    if (seen.includes(expected)) return seen;
  }
  throw new Error(`ended without ${JSON.stringify(expected)}: ${JSON.stringify(seen)}`);
}

describe.skipIf(KUBECONFIG === undefined)('streams of a real cluster', () => {
  let bed: ClusterBed;
  let idle: string;
  beforeAll(async () => {
    bed = new ClusterBed(KUBECONFIG ?? '');
    idle = await bed.pod({ command: ['sleep', '3600'] });
  });
  afterAll(async () => {
    await bed.close();
    expect(log.mock.calls.filter(([level]) => level === 'warn')).toEqual([]);
  });

  const exec = (command: string[], tty: { rows: number; cols: number } | null = null, pod = idle): Promise<Terminal> =>
    execIn(bed.client, { pod, shell: true }, { command, tty }, log);

  describe('exec', () => {
    test.each([
      ['true', ['true'], 0],
      ['a process that fails', ['sh', '-c', 'exit 7'], 7],
      ['a process that is killed', ['sh', '-c', 'kill -KILL $$'], 137],
      ['a program that is not there', ['no-such-program'], 127],
      ['a program that may not be executed', ['/etc/passwd'], 126],
      ["a shell's own command, which is no program", ['exit', '3'], 127],
    ])('%s tells its exit code', async (_name, command, exitCode) => {
      expect(await ended(await exec(command))).toMatchObject({ exitCode });
    });

    test.each([
      ['no-such-program', 127],
      ['/etc/passwd', 126],
    ])('without a shell in between, %s ends with %i and says why', async (program, exitCode) => {
      const terminal = await execIn(bed.client, { pod: idle, shell: false }, { command: [program], tty: null }, log);
      const end = await ended(terminal);
      expect(end).toMatchObject({ exitCode });
      expect(end.stderr).toContain(program);
    });

    test('standard output and error are apart', async () => {
      expect(await ended(await exec(['sh', '-c', 'echo out; echo error >&2']))).toEqual({
        stdout: 'out\n',
        stderr: 'error\n',
        exitCode: 0,
      });
    });

    test('a process sees the end of its input', async () => {
      const terminal = await exec(['cat']);
      terminal.stdin.write('one\n');
      terminal.stdin.end('two, without a newline');
      expect(await ended(terminal)).toEqual({ stdout: 'one\ntwo, without a newline', stderr: '', exitCode: 0 });
    });

    test('10 MB come back as they went', async () => {
      const sent = randomBytes(10_000_000);
      const terminal = await exec(['cat']);
      terminal.stdin.end(sent);
      const [back, exitCode] = await Promise.all([buffer(terminal.stdout), terminal.exited]);
      expect(exitCode).toBe(0);
      expect(back.equals(sent)).toBe(true);
    });

    test('a reader who is slow holds the process up, and loses nothing', async () => {
      const terminal = await exec(['sh', '-c', 'head -c 30000000 /dev/zero; touch /tmp/all-written']);
      await once(terminal.stdout, 'readable');
      expect(await ended(await exec(['sh', '-c', '[ ! -e /tmp/all-written ]']))).toMatchObject({ exitCode: 0 });
      expect((await buffer(terminal.stdout)).length).toBe(30_000_000);
      expect(await terminal.exited).toBe(0);
    });

    test('a terminal has a size from the start, and takes another', async () => {
      const terminal = await exec(['sh'], { rows: 31, cols: 97 });
      terminal.stdin.write('stty size\n');
      await until(terminal, '31 97');
      await terminal.resize({ rows: 40, cols: 120 });
      // A new size and what is typed right after it take different ways through the cluster: either may come first.
      const typing = setInterval(() => terminal.stdin.write('stty size\n'), 500);
      await until(terminal, '40 120').finally(() => clearInterval(typing));
      terminal.stdin.write('exit 3\n');
      terminal.stdout.resume();
      expect(await terminal.exited).toBe(3);
    });

    test.each([
      ['in a terminal', { rows: 24, cols: 80 }],
      ['without one', null],
    ])('a process whose client walks away is hung up, %s', async (_name, tty) => {
      const name = `sleep 77${tty === null ? 0 : 1}`;
      const terminal = await exec(['sh', '-c', `echo ready; exec ${name}`], tty);
      await until(terminal, 'ready');
      terminal.close();
      expect(await terminal.exited).toBeUndefined();
      const running = ['sh', '-c', `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c '${name.replace('7', '[7]')}'`];
      await expect.poll(async () => (await ended(await exec(running))).stdout.trim(), { timeout: 20_000 }).toBe('0');
    });

    test('a client who walks away at once leaves nothing behind either', async () => {
      (await exec(['sleep', '775'], { rows: 24, cols: 80 })).close();
      const running = ['sh', '-c', `cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'sleep [7]75'; cat /tmp/775`];
      await ended(await exec(['sh', '-c', 'sleep 2']));
      expect((await ended(await exec(running))).stdout.trim()).toBe('0');
    });

    test('in a pod that is not there: the session has no container', async () => {
      const failing = exec(['true'], null, 'no-such-pod');
      await expect(failing).rejects.toMatchObject({ name: 'RuntimeError', kind: 'fatal', failure: { code: 'container-lost' } });
    });

    test('in a pod that has ended: not now', async () => {
      const pod = await bed.pod({ command: ['true'] });
      await expect.poll(() => bed.phase(pod), { timeout: 30_000 }).toBe('Succeeded');
      await expect(exec(['true'], null, pod)).rejects.toMatchObject({ kind: 'retry', failure: { code: 'rejected' } });
    });
  });

  describe('attach', () => {
    const WAITING = 'until [ -e /tmp/go ]; do sleep 0.05; done;';
    const go = (pod: string): Promise<unknown> => exec(['touch', '/tmp/go'], null, pod).then(ended);

    test('who attaches before the first byte misses none; two at once see the same', async () => {
      const pod = await bed.pod({ command: ['sh', '-c', `${WAITING} echo first; echo last >&2`] });
      const both = await Promise.all([1, 2].map(() => attachTo(bed.client, { pod, tty: false, stdin: 'none' })));
      await go(pod);
      const all = { stdout: 'first\n', stderr: 'last\n', exitCode: undefined };
      expect(await Promise.all(both.map(ended))).toEqual([all, all]);
    });

    test('framed input ends where the client ends it', async () => {
      const pod = await bed.pod({ stdin: true, stdinOnce: true, command: ['sh', '-c', `${DECODE_STDIN} | { cat; echo end; }`] });
      const terminal = await attachTo(bed.client, { pod, tty: false, stdin: 'framed' });
      terminal.stdin.end('some input\n');
      expect(await ended(terminal)).toEqual({ stdout: 'some input\nend\n', stderr: '', exitCode: undefined });
    });

    test('a terminal is left without ending the process, and found again', async () => {
      const pod = await bed.pod({ stdin: true, tty: true, command: ['sh'] });
      const attach = (): Promise<Terminal> => attachTo(bed.client, { pod, tty: true, stdin: 'raw' });
      const first = await attach();
      await first.resize({ rows: 30, cols: 90 });
      first.stdin.write('kept=1; stty size\n');
      await until(first, '30 90');
      first.close();
      expect(await first.exited).toBeUndefined();
      const second = await attach();
      second.stdin.write('echo "[$kept]"\n');
      await until(second, '[1]');
      second.close();
    });

    test('to a pod that is not there', async () => {
      const failing = attachTo(bed.client, { pod: 'no-such-pod', tty: false, stdin: 'none' });
      await expect(failing).rejects.toMatchObject({ kind: 'fatal', failure: { code: 'container-lost' } });
    });
  });

  describe('log', () => {
    const read = async (pod: string, options: Partial<LogOptions>): Promise<string> => {
      let seen = '';
      const signal = new AbortController().signal;
      for await (const { data } of logsOf(bed.client, pod, { follow: false, signal, ...options })) seen += data.toString();
      return seen;
    };

    test('all of it, followed or not', async () => {
      const pod = await bed.pod({ command: ['sh', '-c', 'seq 1 500; printf unfinished'] });
      await expect.poll(() => bed.phase(pod), { timeout: 30_000 }).toBe('Succeeded');
      const all = `${Array.from({ length: 500 }, (_, index) => index + 1).join('\n')}\nunfinished`;
      expect(await read(pod, {})).toBe(all);
      expect(await read(pod, { follow: true })).toBe(all);
    });

    test('followed until the container ends', async () => {
      const pod = await bed.pod({ command: ['sh', '-c', 'echo one; until [ -e /tmp/go ]; do sleep 0.05; done; echo two'] });
      const following = logsOf(bed.client, pod, { follow: true, signal: new AbortController().signal });
      expect((await following.next()).value).toEqual({ stream: 'stdout', data: Buffer.from('one\n') });
      await ended(await exec(['touch', '/tmp/go'], null, pod));
      expect((await following.next()).value).toEqual({ stream: 'stdout', data: Buffer.from('two\n') });
      expect((await following.next()).done).toBe(true);
    });

    test('followed until the reader has had enough', async () => {
      const controller = new AbortController();
      const following = read(idle, { follow: true, signal: controller.signal });
      controller.abort();
      expect(await following).toBe('');
    });

    test('of a pod that is not there', async () => {
      await expect(read('no-such-pod', {})).rejects.toMatchObject({ status: 404, reason: 'NotFound' });
    });
  });

  describe('watch', () => {
    const instance = 'd4b5c7f0-0000-4000-8000-000000000000';
    const ref: ContainerRef = { sessionId: '0199c3f0-0000-7000-8000-000000000000', generation: 2, container: 'main1' };

    async function version(): Promise<string> {
      const { namespace } = bed.client;
      const list = await bed.client.call('cluster.pod-list', (api) => api.core.listNamespacedPod({ namespace, limit: 1 }));
      return list.metadata?.resourceVersion ?? '';
    }

    test('tells whose pods changed, and ends with its signal', async () => {
      const controller = new AbortController();
      const watching = watchPods(bed.client, { instance, resourceVersion: await version(), signal: controller.signal });
      const first = watching.next();
      await bed.pod({ command: ['true'] }, labelsOfRef(ref, instance));
      expect((await first).value).toEqual(ref);
      controller.abort();
      for await (const hint of watching) expect(hint).toEqual(ref);
    });
  });

  describe('when the API server dies', () => {
    let folder: string;
    let relay: ApiRelay;
    let client: ClusterClient;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'berth-relay-'));
      relay = await ApiRelay.before(KUBECONFIG ?? '', folder);
      client = new ClusterClient({ kubeconfig: relay.kubeconfig, namespace: 'default' });
    });
    afterAll(async () => {
      client.close();
      relay.kill();
      await rm(folder, { recursive: true });
    });

    test('terminals end without an exit code, watches throw, and all works again after it', async () => {
      const terminal = await execIn(client, { pod: idle, shell: true }, { command: ['sh', '-c', 'echo ready; sleep 5'], tty: null }, log);
      await until(terminal, 'ready');
      const signal = new AbortController().signal;
      const watching = watchPods(client, { instance: 'none', resourceVersion: '', signal }).next();
      const following = logsOf(client, idle, { follow: true, signal }).next();
      const caught = Promise.allSettled([watching, following]);
      await expect.poll(() => relay.connections).toBeGreaterThanOrEqual(3);
      relay.kill();
      terminal.stdin.write('too late');
      terminal.stdout.resume();
      expect(await terminal.exited).toBeUndefined();
      const unreachable = { name: 'RuntimeError', kind: 'unreachable', failure: { code: 'engine-unavailable' } };
      expect(await caught).toMatchObject([
        { status: 'rejected', reason: unreachable },
        { status: 'rejected', reason: unreachable },
      ]);
      await sinceIsRemembered();
      await relay.revive();
      await client.call('cluster.version', (api) => api.version.getCode());
      terminal.close();
    });

    async function sinceIsRemembered(): Promise<void> {
      const message = (): Promise<string> =>
        client
          .call('cluster.version', (api) => api.version.getCode())
          .then(
            () => '',
            (error: unknown) => (error instanceof RuntimeError ? error.message : String(error)),
          );
      const first = await message();
      expect(first).toMatch(/^the cluster at https:\/\/127\.0\.0\.1:\d+ does not answer since 20\d\d-.*Z: nobody listens there$/);
      expect(await message()).toBe(first);
    }
  });

  describe('tunnel', () => {
    let tunnels: Tunnels;
    let web: string;
    beforeAll(async () => {
      tunnels = new Tunnels(bed.client, { log });
      const script = 'head -c 20000000 /dev/urandom >/tmp/large; cd /tmp && exec python3 -u -m http.server 8000';
      web = await bed.pod({ command: ['sh', '-c', script] });
      await ended(await exec(['sh', '-c', 'until grep -q :1F40 /proc/net/tcp /proc/net/tcp6; do sleep 0.1; done'], null, web));
    });
    afterAll(() => tunnels.close());

    test('carries HTTP, to the same place each time', async () => {
      const { host, port } = await tunnels.to({ pod: web, port: 8000 });
      expect(await tunnels.to({ pod: web, port: 8000 })).toEqual({ host, port });
      const answers = await Promise.all(Array.from({ length: 10 }, async () => (await fetch(`http://${host}:${port}/`)).status));
      expect(new Set(answers)).toEqual(new Set([200]));
    });

    test('carries 20 MB byte for byte', async () => {
      const { host, port } = await tunnels.to({ pod: web, port: 8000 });
      const loaded = Buffer.from(await (await fetch(`http://${host}:${port}/large`)).arrayBuffer());
      const there = await buffer((await exec(['cat', '/tmp/large'], null, web)).stdout);
      expect(loaded.length).toBe(20_000_000);
      expect(loaded.equals(there)).toBe(true);
    });

    test('a port at which nobody listens closes the connection', async () => {
      const socket = connect(await tunnels.to({ pod: web, port: 9 }));
      socket.on('error', () => undefined);
      socket.write('hello');
      await once(socket, 'close');
    });

    test('unused, it goes', async () => {
      const brief = new Tunnels(bed.client, { log, unusedMs: 50 });
      const place = await brief.to({ pod: web, port: 8000 });
      await expect
        .poll(
          () =>
            fetch(`http://${place.host}:${place.port}/`).then(
              () => 'open',
              () => 'gone',
            ),
          { timeout: 10_000, interval: 200 },
        )
        .toBe('gone');
    });

    test('with its pod, it goes', async () => {
      const pod = await bed.pod({ command: ['sleep', '3600'] });
      const place = await tunnels.to({ pod, port: 8000 });
      await bed.remove(pod);
      await expect
        .poll(() => bed.client.find('cluster.pod-get', (api) => api.core.readNamespacedPod({ name: pod, namespace: 'default' })), {
          timeout: 60_000,
        })
        .toBeUndefined();
      const socket = connect(place);
      socket.on('error', () => undefined);
      await once(socket, 'close');
      await expect
        .poll(() => fetch(`http://${place.host}:${place.port}/`).catch((error: unknown) => error))
        .toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    });
  });

  test('a refusal keeps the words of the API server', async () => {
    const body = { metadata: { name: 'Not A Name' }, spec: { containers: [] } };
    const failing = bed.client.call('cluster.pod-create', (api) => api.core.createNamespacedPod({ namespace: 'default', body }));
    await expect(failing).rejects.toBeInstanceOf(ClusterRefusal);
    await expect(failing).rejects.toMatchObject({ status: 422, reason: 'Invalid', kind: 'fatal' });
  });

  test('a patch merges', async () => {
    const body = { metadata: { annotations: { 'berth.test': 'yes' } } };
    const patched = await bed.client.call('cluster.pod-patch', (api) =>
      api.core.patchNamespacedPod({ name: idle, namespace: 'default', body }),
    );
    expect(patched.metadata?.annotations).toMatchObject({ 'berth.test': 'yes' });
  });
});
