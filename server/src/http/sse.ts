const HEARTBEAT_MS = 15_000;

/** Events as server-sent events, with a comment whenever nothing happened for a while, so that dead connections are noticed. */
export async function* serverSentEvents(events: AsyncGenerator<{ readonly id: string }>): AsyncGenerator<string> {
  yield 'retry: 2000\n\n';
  try {
    for (let next = events.next(); ;) {
      const event = await before(next, HEARTBEAT_MS);
      if (event === undefined) {
        yield ': still here\n\n';
        continue;
      }
      if (event.done === true) return;
      yield `id: ${event.value.id}\ndata: ${JSON.stringify(event.value)}\n\n`;
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
