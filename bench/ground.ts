import type { Session } from '@berth/contract';
import { ClusterGround } from './cluster-ground.ts';
import { EngineGround } from './engine-ground.ts';

/** One start of the bare side; times in ms. */
export interface BareStart {
  /** From the first call to what Berth calls running. */
  readonly ready: number;
  /** How long what took that Berth calls by the same name. */
  readonly steps: Readonly<Record<string, number>>;
  /** As the cluster told it: see `Ground.seen`. */
  readonly seen: Readonly<Record<string, number>>;
  remove(): Promise<void>;
}

/** The same container without Berth. */
export interface Bare {
  /** So many starts under way at once do not yet make each other slower. */
  readonly atOnce: number;
  start(): Promise<BareStart>;
  /** Also what a start that failed half way left. */
  dispose(): Promise<void>;
}

export interface Goals {
  /** Berth's time by the bare one's. */
  readonly one: number;
  /** Berth's rate by the bare one's, 30 at once. */
  readonly rate?: number;
  /** Of the control plane, per start. */
  readonly cpuMs?: number;
}

/** What sessions run on, as far as a measurement must know it: a container engine or a cluster. */
export interface Ground {
  readonly word: 'engine' | 'pod';
  readonly goals: Goals;
  /** Settings of a server that is to run on it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Name and version. */
  describe(): Promise<string>;
  /** Whether anything of this installation's sessions is there. */
  holds(instance: string): Promise<boolean>;
  bareLike(session: Session): Promise<Bare>;
  /** When the ground itself told of a session, in ms since `askedAt` (since the epoch); empty where it tells nothing. */
  seen(sessionId: string, askedAt: number): Readonly<Record<string, number>>;
  /** Removes all that is left, of this installation, whatever state it is in. */
  dispose(instance: string | undefined): Promise<void>;
}

const GROUNDS: Readonly<Record<string, () => Promise<Ground>>> = {
  docker: () => Promise.resolve(new EngineGround()),
  kubernetes: () => ClusterGround.prepare(),
};

export async function groundFor(runtime: string): Promise<Ground> {
  const prepare = GROUNDS[runtime];
  if (prepare === undefined) throw new Error(`--runtime ${runtime}: write ${Object.keys(GROUNDS).join(' or ')}`);
  return prepare();
}
