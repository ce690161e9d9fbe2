import { expect, test } from 'vitest';
import { UploadPlaces } from './upload-places.ts';

const never = new AbortController().signal;
const A_LONG_TIME = 60_000;

/** Uploads that go on until they are ended. */
function uploads(places: UploadPlaces) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const begin = (name: string, signal = never): Promise<void> =>
    places.run({ userId: name.slice(0, 1), signal }, async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  return { begun, begin, end: (name: string): void => ends.get(name)?.() };
}

test('one user takes some of the places, never all; who waits comes in turn', async () => {
  const { begun, begin, end } = uploads(new UploadPlaces({ inAll: 3, ofOneUser: 2, wait: A_LONG_TIME }));
  const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => begin(name));
  await expect.poll(() => begun).toEqual(['a1', 'a2', 'b1']);
  end('b1');
  await expect.poll(() => begun.slice(3)).toEqual(['c1']);
  end('a1');
  await expect.poll(() => begun.slice(4)).toEqual(['a3']);
  for (const name of ['a2', 'a3', 'c1']) end(name);
  await expect.poll(() => begun.slice(5)).toEqual(['b2']);
  end('b2');
  await Promise.all(all);
});

test('who has waited long enough is told to come again, and takes no place afterwards', async () => {
  const { begun, begin, end } = uploads(new UploadPlaces({ inAll: 1, ofOneUser: 1, wait: 1 }));
  const first = begin('a1');
  await expect(begin('b1')).rejects.toMatchObject({ kind: 'service-unavailable', status: 503 });
  end('a1');
  await first;
  const third = begin('c1');
  await expect.poll(() => begun).toEqual(['a1', 'c1']);
  end('c1');
  await third;
});

test('whose client has gone leaves the queue, or never joins it', async () => {
  const { begun, begin, end } = uploads(new UploadPlaces({ inAll: 1, ofOneUser: 1, wait: A_LONG_TIME }));
  const first = begin('a1');
  const gone = new AbortController();
  const second = begin('b1', gone.signal);
  const third = begin('c1');
  gone.abort();
  await expect(second).rejects.toMatchObject({ status: 503 });
  await expect(begin('d1', gone.signal)).rejects.toMatchObject({ status: 503 });
  end('a1');
  await first;
  await expect.poll(() => begun).toEqual(['a1', 'c1']);
  end('c1');
  await third;
});

test('an upload that fails gives its place back', async () => {
  const places = new UploadPlaces({ inAll: 1, ofOneUser: 1, wait: A_LONG_TIME });
  const run = (work: () => Promise<string>) => places.run({ userId: 'a', signal: never }, work);
  await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await run(() => Promise.resolve('yes'))).toBe('yes');
});
