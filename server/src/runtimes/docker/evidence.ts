import { readFile } from 'node:fs/promises';
import type { ContainerInspectInfo } from 'dockerode';
import { bootstrapEvidence, runsBootstrap } from './bootstrap.ts';
import type { EngineClient } from './engine-client.ts';
import type { EngineFacts } from './engine-facts.ts';
import { killedForMemory } from './kernel-log.ts';
import { logsOf } from './log-stream.ts';
import type { Evidence } from './observe.ts';

const LOG_TIMEOUT_MS = 10_000;
const LONGEST_COMPLAINT = 8192;

/** Asks what inspect does not tell about an ended container, as far as its exit code raises the question. */
export async function gatherEvidence(engine: EngineClient, container: ContainerInspectInfo, facts: EngineFacts): Promise<Evidence> {
  const code = container.State.ExitCode;
  return {
    liveRestore: facts.liveRestore,
    engineStartedAt: facts.kind === 'docker' ? await dockerStartedAt(engine) : facts.local ? await machineStartedAt() : undefined,
    killedForMemory: code === 137 && !container.State.OOMKilled && facts.local ? killedForMemory(container.Id) : undefined,
    bootstrap: runsBootstrap(container) ? await bootstrapEvidence(engine, container) : undefined,
    initFailure:
      container.HostConfig.Init === true && SUSPICIOUS_CODES[facts.kind].includes(code) ? await initFailure(engine, container) : undefined,
  };
}

/**
 * Docker makes its default network anew whenever it starts; nothing else in its API tells the time of its start. Asked on a new
 * connection: one that shuts down has just ended the container itself, and refuses.
 */
async function dockerStartedAt(engine: EngineClient): Promise<Date | undefined> {
  const networks = await engine.callAnew('engine.network-inspect', (docker) => docker.listNetworks({ filters: { name: ['bridge'] } }));
  const bridge = networks.find(({ Name }) => Name === 'bridge');
  return bridge === undefined ? undefined : new Date(bridge.Created);
}

/** Podman has no daemon: its containers end with the machine only. */
async function machineStartedAt(): Promise<Date | undefined> {
  const seconds = /^btime (\d+)$/m.exec(await readFile('/proc/stat', 'utf8'))?.[1];
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000);
}

/** tini ends with the shell's codes for what it cannot execute, catatonit with 1. */
const SUSPICIOUS_CODES: Readonly<Record<EngineFacts['kind'], readonly number[]>> = { docker: [126, 127], podman: [1, 126, 127] };

/** A shell ends with 127, too, when its last command was not found: only the init program's own line tells the two apart. */
async function initFailure(engine: EngineClient, container: ContainerInspectInfo): Promise<126 | 127 | undefined> {
  let text = '';
  // Its line is all there is; from the beginning, because Podman miscounts lines that were written in pieces.
  const options = { follow: false, signal: AbortSignal.timeout(LOG_TIMEOUT_MS) };
  for await (const chunk of logsOf(engine, container, options)) {
    text += chunk.data.toString('utf8');
    if (text.length > LONGEST_COMPLAINT) return undefined;
  }
  const said = /^(?:\[FATAL tini \(\d+\)\] exec .* failed|ERROR \(catatonit:\d+\): failed to exec pid1): (.*?)\r?$/m.exec(text)?.[1];
  if (said === undefined) return undefined;
  return said === 'No such file or directory' ? 127 : 126;
}
