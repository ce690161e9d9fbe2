import { EventEmitter } from 'node:events';
import type { PassThrough } from 'node:stream';
import type { ImageFacts } from '../domain/images/image-facts.ts';
import type { Usage } from '../domain/sessions/statistics.ts';
import type { FakeStorages } from './fake-files.ts';
import type { FakeProcess } from './fake-process.ts';
import type { ContainerSpec, LogChunk, NodeFacts, Observed } from './runtime.ts';

export interface FakeContainer {
  readonly spec: ContainerSpec;
  readonly instance: string;
  readonly log: LogChunk[];
  readonly terminals: Set<PassThrough>;
  observed: Observed;
  process: FakeProcess | undefined;
}

/** What is there whichever server looks at it. Two runtimes on one engine are two servers. */
export class FakeEngine {
  readonly containers = new Map<string, FakeContainer>();
  readonly storages: FakeStorages = new Map();
  readonly images = new Set<string>();
  readonly pulls = new Map<string, number>();
  /** What images say of themselves, by reference; without an entry: nothing. */
  readonly imageFacts = new Map<string, ImageFacts>();
  readonly events = new EventEmitter();
  /** What containers have used, by host name; without an entry: as much CPU time as has passed. */
  readonly usage = new Map<string, Usage>();
  /** How many containers were ever made for one ref: more than one at a time is a defect of whoever asked. */
  readonly created = new Map<string, number>();
}

export const NODE: NodeFacts = {
  name: 'fake',
  engine: 'Fake 1.0',
  cpu: 4,
  memoryBytes: 8 * 2 ** 30,
  devices: [],
  architecture: 'x86_64',
  notices: [],
};

export const NO_FACTS: ImageFacts = { labels: {}, exposedPorts: [] };

export const IDLE: Usage = {
  cpuMs: 0,
  memoryBytes: 2 ** 20,
  memoryMaxBytes: null,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
  blockReadBytes: null,
  blockWrittenBytes: null,
};
