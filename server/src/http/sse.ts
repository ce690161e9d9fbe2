const HEARTBEAT_MS = 15_000;

/** Events as server-sent events; a comment now and then makes dead connections noticed. */
export async function* serverSentEvents(events: AsyncGenerator<{ readonly id: string }>): AsyncGenerator<string> {
  yield 'retry: 2000\n\n';
  yield* withHeartbeat(events, (event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`);
}

/** Each event as `write` has it, with a comment whenever nothing happened for a while. */
export async function* withHeartbeat<T>(events: AsyncGenerator<T>, write: (event: T) => string): AsyncGenerator<string> {
  try {
    for (let next = events.next(); ;) {
      const event = await before(next, HEARTBEAT_MS);
      if (event === undefined) {
        yield ': still here\n\n';
        continue;
      }
      if (event.done === true) return;
      yield write(event.value);
      next = events.next();
    }
  } finally {
    await events.return(undefined);
  }
}

/** undefined when it takes longer. */
async function before<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
