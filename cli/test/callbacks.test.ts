import { afterEach, beforeEach, expect, test } from 'vitest';
import { runInProcess } from './in-process.ts';
import { freshEnvironment } from './run-berth.ts';
import { CALLBACK_KEY, StandInServer } from './stand-in-server.ts';

let server: StandInServer;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  server = await new StandInServer().listen();
  env = freshEnvironment({ BERTH_URL: server.url, BERTH_TOKEN: server.token });
});
afterEach(() => server.stop());

const berth = (...args: string[]) => runInProcess(args, env);
const URL = 'https://hooks.example.org/berth?token=x';
const AN_HOUR_AGO = '2026-01-01T12:00:00.000Z';

test('a session may name whom to tell; how that goes is shown with it', async () => {
  const { stdout } = await berth('session', 'create', '-q', '--callback-url', URL, '--', 'true');
  const id = stdout.trim();
  expect(server.requests.at(-1)?.body).toMatchObject({ callbackUrl: URL });
  const shown = async (callback: object): Promise<string> => {
    server.change(id, { callback: { url: URL, lastStatus: null, lastProblem: null, lastAt: null, failures: 0, ...callback } });
    return /^Callback +(.*)$/m.exec((await berth('session', 'show', id)).stdout)?.[1] ?? '';
  };
  expect(await shown({})).toBe(`${URL} (nothing sent yet)`);
  expect(await shown({ lastStatus: 204, lastAt: AN_HOUR_AGO })).toBe(`${URL} (1h ago: answered 204)`);
  expect(await shown({ lastStatus: 500, lastProblem: 'it answered 500', lastAt: AN_HOUR_AGO, failures: 3 })).toBe(
    `${URL} (1h ago: not delivered: it answered 500; 3 not delivered in all)`,
  );
});

test('what cannot be called is refused before anybody is asked', async () => {
  expect(await berth('session', 'create', '-q', '--callback-url', 'ftp://x/', '--', 'true')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--callback-url: "ftp://x/" cannot be used: it is no URL of the web'),
  });
  expect(server.sessions.size).toBe(0);
});

test('the key of her callbacks, alone or as JSON', async () => {
  expect(await berth('user', 'callback-key')).toMatchObject({ code: 0, stdout: `${CALLBACK_KEY}\n` });
  expect(JSON.parse((await berth('user', 'callback-key', '--json')).stdout)).toEqual({ key: CALLBACK_KEY });
});
