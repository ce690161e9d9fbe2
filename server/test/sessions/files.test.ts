import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, CreateSessionInput } from '@berth/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll, until } from '../support/until.ts';

const MIB = 1024 * 1024;
const SLEEP = ['sh', '-c', 'trap "exit 0" TERM HUP; while :; do sleep 0.1; done'];
const ODD_NAMES = ['a b', `it's "quoted"`, 'new\nline', 'ü€😀', '-rf', '$(id)', 'a\\nb', '.hidden'];

describe.each(PLATFORMS)('files of a session on $name', ({ on, image: IMAGE, orchestrates }) => {
  let server: BerthProcess;
  let client: Client;
  let token: string;
  let here: string;
  let session: string;
  beforeAll(async () => {
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: IMAGE } });
    client = await server.client();
    token = await server.token();
    here = mkdtempSync(join(tmpdir(), 'berth-files-'));
    session = await running();
  });
  afterAll(async () => {
    await endAll(client);
    await server.dispose();
    rmSync(here, { recursive: true });
  });

  const running = async (more: CreateSessionInput = {}): Promise<string> => {
    const { id } = await client.createSession({ body: { image: IMAGE, pull: 'never', command: SLEEP, ...more } });
    return (await until(client, id, 'running', ({ state }) => state === 'running')).id;
  };
  const inside = async (script: string): Promise<string> =>
    (await berth(server, ['session', 'exec', session, '--', 'sh', '-c', script])).stdout;
  const command = (...args: string[]) => berth(server, ['session', ...args], { cwd: here });
  const request = (path: string, init: RequestInit = {}, of = session) =>
    fetch(new URL(`/api/sessions/${of}/files?path=${encodeURIComponent(path)}`, server.url), {
      ...init,
      headers: { authorization: `Bearer ${token}` },
    });
  const local = (name: string): string => join(here, name);

  test('five MiB of anything go in and come out again, as the session user', async () => {
    const bytes = randomBytes(5 * MIB);
    writeFileSync(local('data.bin'), bytes);
    expect(await command('upload', session, 'data.bin', '--to', 'in/deep')).toMatchObject({ code: 0 });
    expect(await inside('cd ~/in/deep && stat -c "%s %u" data.bin && ls -A')).toBe(`${bytes.length} 1000\ndata.bin\n`);
    expect(await command('download', session, 'in/deep/data.bin', '--to', 'out')).toMatchObject({ code: 0 });
    expect(readFileSync(local('out/data.bin')).equals(bytes)).toBe(true);
  });

  test('names of any kind, and a folder as a whole', async () => {
    for (const name of ODD_NAMES) {
      const written = await request(`odd/${name}`, { method: 'PUT', body: `content of ${name}` });
      expect([name, written.status]).toEqual([name, 200]);
      expect(await (await request(`odd/${name}`)).text()).toBe(`content of ${name}`);
    }
    const { entries } = await client.listFiles({ params: { session }, query: { path: '/home/work/odd' } });
    expect(entries.map(({ name }) => name)).toEqual(ODD_NAMES.toSorted());
    expect(await command('download', session, 'odd')).toMatchObject({ code: 0 });
    expect(readdirSync(local('odd')).toSorted()).toEqual(ODD_NAMES.toSorted());
    for (const name of ODD_NAMES) expect(readFileSync(local(join('odd', name)), 'utf8')).toBe(`content of ${name}`);
  });

  test('what a link leads to outside is refused, and so is what is not there', async () => {
    await inside('ln -sf /etc ~/away && ln -sf /etc/passwd ~/file');
    for (const path of ['away', 'away/passwd', 'file']) {
      const response = await request(path);
      expect([path, response.status]).toEqual([path, 400]);
      expect(await response.text()).toContain('symbolic link');
    }
    expect((await request('away/new', { method: 'PUT', body: 'x' })).status).toBe(400);
    expect((await request('nothing')).status).toBe(404);
    expect(await command('download', session, 'nothing')).toMatchObject({ code: 1, stderr: expect.stringContaining('"nothing"') });
  });

  test('an upload that breaks off leaves nothing behind', async () => {
    const over = new AbortController();
    async function* half(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(MIB);
      over.abort();
      yield new Uint8Array(MIB);
    }
    const body = half();
    await expect(request('broken/file', { method: 'PUT', body, duplex: 'half', signal: over.signal })).rejects.toThrow();
    await expect.poll(() => inside('ls -A ~/broken 2>/dev/null'), { timeout: 30_000 }).toBe('');
  });

  test('the work folder is where the session starts', async () => {
    const elsewhere = await running({ workDir: '/tmp' });
    expect((await request('/tmp/x', { method: 'PUT', body: 'there' }, elsewhere)).status).toBe(200);
    expect((await berth(server, ['session', 'exec', elsewhere, '--', 'cat', '/tmp/x'])).stdout).toBe('there');
    expect((await request(`/home/admin/x`, {}, elsewhere)).status).toBe(400);
  });

  test('where there is no tar files can be had, folders cannot, and that is said', async () => {
    // A cluster's own scripts need more programs than these.
    if (orchestrates) return;
    const few = 'mkdir /tmp/few; for p in cat stat readlink sleep; do ln -s "$(command -v $p)" /tmp/few/; done; exec sleep 600';
    const bare = await running({ env: { PATH: '/tmp/few' }, command: ['/bin/sh', '-c', `PATH=/usr/bin:/bin; ${few}`], workDir: '/etc' });
    await expect.poll(async () => (await request('hostname', {}, bare)).status).toBe(200);
    const folder = await request('.', {}, bare);
    expect([folder.status, await folder.text()]).toEqual([409, expect.stringContaining('(tar)')]);
  });
});
