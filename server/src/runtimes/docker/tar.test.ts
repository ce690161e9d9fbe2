import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { tarOf, textOfTar } from './tar.ts';

const CAP = 16 * 1024;
const file = (content: string) => tarOf([{ name: 'file', mode: 0o644, content }]);

test('a small file of an archive is text', async () => {
  expect(await textOfTar(Readable.from([await file('hello')]), CAP)).toBe('hello');
});

test('a huge one is nothing, and the rest of it is not asked for', async () => {
  let sent = 0;
  const endless = new Readable({
    read() {
      sent += 1;
      this.push(Buffer.alloc(1024));
    },
  });
  expect(await textOfTar(endless, CAP)).toBe('');
  expect(endless.destroyed).toBe(true);
  expect(sent * 1024).toBeLessThan(10 * CAP);
});

test('an archive that breaks off is told', async () => {
  const broken = new Readable({ read: () => undefined });
  broken.destroy(new Error('gone'));
  await expect(textOfTar(broken, CAP)).rejects.toThrow('gone');
});
