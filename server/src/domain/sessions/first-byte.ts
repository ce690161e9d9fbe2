/** Clients that want a session's output from its first byte: its process is started when they listen. */
export interface FirstByte {
  /**
   * `listen` is called, once, when there is something to attach to and nothing has run in it yet. `tooLate` fires should the
   * process be started before it is done. Answers how to withdraw.
   */
  waitFor(sessionId: string, listen: (tooLate: AbortSignal) => Promise<void>): () => void;
}
