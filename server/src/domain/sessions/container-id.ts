import { createHash } from 'node:crypto';
import { MAIN } from './container-plan.ts';

/** A UUID that stays with a container of a session, whatever becomes of it: main1 has the session's, the others one derived from it (version 5). */
export function containerId(sessionId: string, container: string): string {
  if (container === MAIN) return sessionId;
  const bytes = createHash('sha1')
    .update(Buffer.from(sessionId.replaceAll('-', ''), 'hex'))
    .update(container)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
