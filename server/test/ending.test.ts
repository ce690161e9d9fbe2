import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BerthProcess } from './support/berth-process.ts';

// No engine is needed: the server starts without one and waits for it.
const NOWHERE = 'unix:///nonexistent/engine.sock';
let berth: BerthProcess;

beforeEach(async () => (berth = await BerthProcess.prepare({ dockerHost: NOWHERE })));
afterEach(() => berth.dispose());

test('one key press that arrives as several signals ends the server in order, its database too', async () => {
  await berth.start({ BERTH_LOG_LEVEL: 'info' });
  const { pid = 0 } = berth;
  process.kill(pid, 'SIGINT');
  while (!berth.log.includes('stopping; sessions go on')) await delay(1);
  process.kill(pid, 'SIGINT');
  process.kill(pid, 'SIGTERM');
  await berth.ended();
  expect(berth.exitCode).toBe(0);
});

test('an address that is none of an engine is refused in a sentence', async () => {
  berth.spawn({ DOCKER_HOST: 'engine' });
  await berth.ended();
  expect(berth.exitCode).toBe(1);
  expect(berth.log).toContain('berth server: "engine" is not the address of a container engine. Set DOCKER_HOST to');
});
