import { createReadStream } from 'node:fs';
import { problemOf, streams, urlOf, type FileWritten } from '@berth/contract';
import type { Connection } from '../connection/connect.ts';
import { reachingFetch } from '../connection/reach.ts';
import { unreadable, type Upload } from './plan-uploads.ts';

/** Streams a file into a session; `onProgress` gets the bytes sent so far. */
export async function sendFile(
  { url, token }: Connection,
  { session, upload, onProgress }: { session: string; upload: Upload; onProgress: (sent: number) => void },
): Promise<FileWritten> {
  const { file, path, executable } = upload;
  let failed: unknown;
  async function* content(): AsyncGenerator<Buffer> {
    let sent = 0;
    try {
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        yield chunk;
        onProgress((sent += chunk.length));
      }
    } catch (error) {
      failed = error;
      throw error;
    }
  }
  const address = urlOf(url, streams.uploadFile.path, { params: { session }, query: { path, executable } });
  const response = await reachingFetch(address, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: content(),
    duplex: 'half',
  }).catch((error: unknown) => {
    throw failed === undefined ? error : unreadable(file, failed);
  });
  if (!response.ok) throw await problemOf(response);
  return streams.uploadFile.message.parse(await response.json());
}
