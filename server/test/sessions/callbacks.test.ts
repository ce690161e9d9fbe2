import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Receiver } from '../callbacks/receiver.ts';
import { BerthProcess } from '../support/berth-process.ts';
import { berth } from '../support/command-line.ts';
import { PLATFORMS } from '../support/platforms.ts';

describe.each(PLATFORMS)('callbacks of sessions on $name', ({ on, image: IMAGE }) => {
  let server: BerthProcess;
  let to: Receiver;
  beforeAll(async () => {
    to = await Receiver.listen();
    server = await BerthProcess.start({ ...on, env: { BERTH_DEFAULT_IMAGE: IMAGE, BERTH_CALLBACK_ALLOW: '127.0.0.1' } });
  });
  afterAll(async () => {
    await server.dispose();
    await to.close();
  });

  const job = async (...command: string[]): Promise<string> =>
    (await berth(server, ['job', 'create', '-q', '--pull', 'never', '--callback-url', to.url, '--', ...command])).stdout.trim();

  test('tell each step of its life in order, signed with the key that the command line shows', async () => {
    const [good, bad] = [await job('sleep', '2'), await job('sh', '-c', 'sleep 2; exit 3')];
    const steps = ['enqueued', 'scheduled', 'preparing', 'started'];
    await expect.poll(() => to.of(good), { timeout: 120_000 }).toEqual([...steps, 'success', 'terminated']);
    await expect.poll(() => to.of(bad), { timeout: 120_000 }).toEqual([...steps, 'failure', 'terminated']);
    const key = (await berth(server, ['user', 'callback-key'])).stdout.trim();
    for (const { headers, body } of to.received) {
      const [t = '', v1 = ''] = String(headers['berth-signature'])
        .split(',')
        .map((part) => part.split('=')[1]);
      expect(createHmac('sha256', key).update(`${t}.${body}`).digest('hex')).toBe(v1);
    }
    const shown = async (): Promise<string> => (await berth(server, ['session', 'show', bad])).stdout;
    await expect.poll(shown).toMatch(/Callback +http:\/\/127.0.0.1:\d+\/hook\?token=secret-word \(\d+s ago: answered 204\)/);
  });
});
