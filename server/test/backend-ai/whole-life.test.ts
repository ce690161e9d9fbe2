import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Client } from '@berth/contract';
import { getOrCreate } from '../http/backend-ai/python-create.ts';
import { likeABrowser, realClient, refusal, type RealClient } from '../http/backend-ai/real-client.ts';
import { BackendAiClient, type Keys } from '../http/backend-ai/signing-client.ts';
import { BerthProcess } from '../support/berth-process.ts';
import { PLATFORMS } from '../support/platforms.ts';
import { endAll } from '../support/until.ts';

/** The information page's twenty keys, as clients read them. */
const PAGE = {
  domainName: expect.any(String),
  groupId: expect.any(String),
  userId: expect.any(String),
  lang: expect.any(String),
  image: expect.any(String),
  architecture: expect.any(String),
  registry: expect.any(String),
  containerId: expect.any(String),
  occupiedSlots: expect.any(String),
  occupiedShares: expect.any(String),
  environ: expect.any(String),
  status: expect.any(String),
  statusInfo: expect.any(String),
  age: expect.any(Number),
  creationTime: expect.any(String),
  numQueriesExecuted: expect.any(Number),
};
/** Of the same twenty, those that may be null. */
const NULLABLE = ['tag', 'statusData', 'terminationTime', 'lastStat'];

const CONSOLE_TURNS = 30;

describe.each(PLATFORMS)('the real client against a real server on $name', ({ name: platform, on, image: IMAGE }) => {
  let server: BerthProcess;
  let client: Client;
  let keys: Keys;
  let real: RealClient;
  let signed: BackendAiClient;
  const image = IMAGE.replace('docker://', '');
  // The test bed's registry speaks no TLS, which Docker alone takes; what no registry can have is refused by all.
  const MISSING = platform !== 'Docker' ? 'NO IMAGE' : `${process.env['BERTH_TEST_REGISTRY'] ?? ''}/no/such:image`;
  beforeAll(async () => {
    server = await BerthProcess.start(on);
    client = await server.client();
    keys = await client.createKeypair({ body: {} });
    likeABrowser();
    real = realClient(server.url, keys);
    signed = new BackendAiClient(server.url, keys, 'py');
    await real.get_manager_version();
  });
  afterAll(async () => {
    vi.unstubAllGlobals();
    await endAll(client);
    await server.dispose();
  });
  const pageOf = (name: string): Promise<Record<string, unknown>> => real.get_info(name);
  const becomes = (name: string, status: string): Promise<void> =>
    expect.poll(async () => (await pageOf(name))['status'], { timeout: 60_000, interval: 200 }).toBe(status);

  /** As clients do: ask for more until it says that it is over. */
  async function printed(name: string, code: string): Promise<string> {
    let text = '';
    let [mode, rest] = ['query', code];
    for (let turn = 0; turn < CONSOLE_TURNS; turn += 1) {
      const { result } = (await real.execute(name, 'run-of-the-test', mode, rest, {})) as {
        result: { status: string; console: readonly (readonly [string, string])[] };
      };
      text += result.console.map(([, data]) => data).join('');
      if (result.status === 'finished') return text;
      [mode, rest] = ['continue', ''];
    }
    throw new Error(`it never finished, and printed: ${text}`);
  }

  test('a whole life', async () => {
    const created = await real.createIfNotExists(image, 'whole_life.01', { cpu: 0.1, mem: '256m', env: { A: '1' } }, 60_000);
    expect(created).toMatchObject({ sessionId: created.sessId, status: 'RUNNING', created: true });
    expect(await real.createIfNotExists(image, 'whole_life.01', {}, 60_000)).toMatchObject({ sessId: created.sessId, created: false });

    const page = await pageOf('whole_life.01');
    expect(page).toMatchObject({ ...PAGE, status: 'RUNNING', environ: '{"A":"1"}', lang: image });
    for (const key of NULLABLE) expect(page).toHaveProperty(key);
    expect(JSON.parse(String(page['occupiedSlots']))).toEqual({ cpu: '0.1', mem: '268435456' });

    expect(await printed('whole_life.01', 'import os\nprint(40 + 2, os.environ["A"])')).toMatch(/42 1/);

    await real.upload('whole_life.01', 'folder/a file.txt', new Blob(['what was uploaded\n']));
    const archive = Buffer.from(await (await real.download_single('whole_life.01', 'folder/a file.txt')).arrayBuffer());
    expect(archive.toString('latin1')).toContain('what was uploaded');
    const listed = await signed.send('GET', '/session/whole_life.01/files', { body: { path: 'folder' } });
    expect(JSON.parse(String(listed.body['files']))).toMatchObject([{ filename: 'a file.txt', size: 18 }]);

    expect((await signed.send('POST', '/session/whole_life.01/rename?name=another.name')).status).toBe(204);
    await real.restart('another.name');
    await becomes('another.name', 'RUNNING');
    expect((await pageOf('another.name'))['containerId']).toEqual(expect.stringContaining(created.sessId));
    expect(await printed('another.name', 'print("still", 1 + 1)')).toMatch(/still 2/);

    expect(await real.destroy('another.name')).toMatchObject({ stats: { status: 'terminated' } });
    const gone = (): Promise<boolean> =>
      pageOf('another.name').then(
        () => false,
        (error: { statusCode: number }) => error.statusCode === 404,
      );
    await expect.poll(gone, { timeout: 60_000, interval: 200 }).toBe(true);
    expect(await real.get_logs(created.sessId)).toEqual({ result: { logs: expect.any(String) } });
  });

  test('the same in the shapes of the Python SDK', async () => {
    const asked = getOrCreate('python.life', image, { resources: { cpu: 0.1, mem: '256m' }, enqueueOnly: false });
    const chunked = { 'transfer-encoding': 'chunked' };
    const created = await signed.send('POST', '/session', { body: asked, headers: chunked });
    expect(created).toMatchObject({ status: 201, body: { sessionName: 'python.life', status: 'RUNNING', created: true } });
    expect(await signed.send('POST', '/session', { body: asked })).toMatchObject({ status: 200, body: { created: false } });
    const query = new URLSearchParams({ image, name: 'python.query', group: 'default', domain: 'default', maxWaitSeconds: '60' });
    expect(await signed.send('POST', `/session?${query.toString()}`)).toMatchObject({ status: 201, body: { status: 'RUNNING' } });
    expect(await signed.send('DELETE', '/session/python.query?forced=true')).toMatchObject({ status: 200 });

    expect(await signed.send('GET', '/session/python.life')).toMatchObject({ status: 200, body: { ...PAGE, status: 'RUNNING' } });
    const matched = await signed.send('GET', '/session/_/match', { body: { id: 'python.l' }, headers: chunked });
    expect(matched).toMatchObject({ status: 200, body: { matches: [{ name: 'python.life' }] } });
    const run = { mode: 'query', code: 'print(42)', runId: 'python-run', options: null };
    const { body: first } = await signed.send('POST', '/session/python.life', { body: run });
    expect(first).toMatchObject({ result: { runId: 'python-run', status: expect.any(String), console: expect.any(Array) } });

    const form = [
      '--of-the-test',
      'Content-Disposition: form-data; name="src"; filename="from%20python.txt"',
      'Content-Type: application/octet-stream',
      '',
      'in chunks of unknown length',
      '--of-the-test--',
      '',
    ].join('\r\n');
    const type = 'multipart/form-data; boundary=of-the-test';
    expect(await signed.send('POST', '/session/python.life/upload', { raw: form, type, headers: chunked })).toMatchObject({ status: 204 });
    const archive = await signed.send('GET', '/session/python.life/download', { body: { files: ['from python.txt'] } });
    expect(archive.text).toContain('in chunks of unknown length');

    expect(await signed.send('POST', '/session/python.life/rename?name=python.renamed')).toMatchObject({ status: 204 });
    expect(await signed.send('PATCH', '/session/python.renamed')).toMatchObject({ status: 204 });
    await becomes('python.renamed', 'RUNNING');
    expect(await signed.send('GET', '/session/python.renamed/logs')).toMatchObject({
      status: 200,
      body: { result: { logs: expect.any(String) } },
    });
    expect(await signed.send('DELETE', '/session/python.renamed?forced=false')).toMatchObject({ status: 200 });
  });

  test('pending and failed sessions have the whole page, too', async () => {
    await real.createIfNotExists(image, 'later', { type: 'batch', startupCommand: 'true', startsAt: '1h', enqueueOnly: true });
    expect(await pageOf('later')).toMatchObject({ ...PAGE, status: 'PENDING' });
    await signed.send('POST', '/session', { body: { image, clientSessionToken: 'failed', bootstrapScript: 'exit 3', enqueueOnly: true } });
    await becomes('failed', 'ERROR');
    const page = await pageOf('failed');
    expect(page).toMatchObject({ ...PAGE, status: 'ERROR' });
    for (const key of NULLABLE) expect(page).toHaveProperty(key);
  });

  test('what goes wrong is told as the page says', async () => {
    await expect(real.createIfNotExists(image, 'too-large', { mem: '1y' })).rejects.toMatchObject(
      refusal(406, 'No node could ever run this'),
    );
    await expect(real.createIfNotExists(MISSING, 'no-image', {}, 60_000)).rejects.toMatchObject(refusal(404, 'No such environment image.'));
    await expect(realClient(server.url, { ...keys, accessKey: 'AKIAAAAAAAAAAAAAAAAA' }).get_info('x')).rejects.toMatchObject(
      refusal(401, 'Access key not found'),
    );
    await expect(realClient(server.url, { ...keys, secretKey: 'wrong' }).get_info('x')).rejects.toMatchObject(
      refusal(401, 'Signature mismatch'),
    );
    const late = await signed.send('GET', '/session/whole_life.01', { at: new Date(Date.now() - 16 * 60_000) });
    expect([late.status, late.body['msg']]).toEqual([400, expect.stringMatching(/^Date\/time sync error/)]);
  });
});
