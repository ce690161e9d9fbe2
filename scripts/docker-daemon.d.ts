export interface DaemonPlace {
  runFolder: string;
  dataRoot: string;
  bridge: string;
}

/** A dockerd of our own, apart from every other one on the machine. */
export class DockerDaemon {
  constructor(place: DaemonPlace);
  readonly host: string;
  readonly pid: number | undefined;
  /** Starts it and waits until it answers. */
  start(): Promise<void>;
  /** Stops containers and daemon, as a shutdown does. */
  stop(): Promise<void>;
  /** SIGKILL to the daemon alone. */
  kill(): Promise<void>;
  /** Ends it and takes away all it has on the machine but its data. */
  remove(): Promise<void>;
  logTail(lines?: number): string;
}

/** The daemon behind BERTH_TEST_FAULT_DOCKER (`unix://…`). */
export function daemonAt(host: string): DockerDaemon;
