import { readFile } from 'node:fs/promises';
import type { ContainerInspectInfo } from 'dockerode';
import type { EngineClient } from './engine-client.ts';
import type { EngineFacts } from './engine-facts.ts';
import { killedForMemory } from './kernel-log.ts';
import { logsOf } from './log-stream.ts';
import type { Evidence } from './observe.ts';

const LOG_TIMEOUT_MS = 10_000;

/** Asks what inspect does not tell about an ended container, as far as its exit code raises the question. */
export async function gatherEvidence(engine: EngineClient, container: ContainerInspectInfo, facts: EngineFacts): Promise<Evidence> {
  const code = container.State.ExitCode;
  return {
    liveRestore: facts.liveRestore,
    engineStartedAt: facts.kind === 'docker' ? await dockerStartedAt(engine) : facts.local ? await machineStartedAt() : undefined,
    killedForMemory: code === 137 && !container.State.OOMKilled && facts.local ? killedForMemory(container.Id) : undefined,
    initFailed: (code === 126 || code === 127) && container.HostConfig.Init === true && (await initFailed(engine, container)),
  };
}

/** Docker makes its default network anew whenever it starts; nothing else in its API tells the time of its start. */
async function dockerStartedAt(engine: EngineClient): Promise<Date | undefined> {
  const bridge = await engine.find('engine.network-inspect', (docker) => docker.getNetwork('bridge').inspect());
  return bridge === undefined ? undefined : new Date(bridge.Created);
}

/** Podman has no daemon: its containers end with the machine only. */
async function machineStartedAt(): Promise<Date | undefined> {
  const seconds = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000);
}

/** A shell ends with 127, too, when its last command was not found: only the init program's own line tells the two apart. */
async function initFailed(engine: EngineClient, container: ContainerInspectInfo): Promise<boolean> {
  let text = '';
  const options = { follow: false, tailLines: 1, signal: AbortSignal.timeout(LOG_TIMEOUT_MS) };
  for await (const chunk of logsOf(engine, container, options)) text += chunk.data.toString('utf8');
  return /^\[FATAL tini \(\d+\)\] exec |^\S*catatonit: failed to exec pid1/m.test(text);
}
