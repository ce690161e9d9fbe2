import { EventEmitter, on } from 'node:events';

/** What either source tells, as it comes. Ends when the first of them does, both with the signal; throws what one throws. */
export async function* eitherOf<T>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => AsyncIterable<T>,
  second: (signal: AbortSignal) => AsyncIterable<T>,
): AsyncGenerator<T> {
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  const heard = new EventEmitter();
  // After the end nobody listens any more.
  heard.on('error', () => undefined);
  const told = on(heard, 'item', { close: ['end'] });
  const tell = async (source: AsyncIterable<T>): Promise<void> => {
    try {
      for await (const item of source) heard.emit('item', item);
    } catch (error) {
      heard.emit('error', error);
    }
  };
  void tell(first(both)).then(() => heard.emit('end'));
  void tell(second(both));
  try {
    for await (const [item] of told) yield item as T;
  } finally {
    ending.abort();
  }
}
