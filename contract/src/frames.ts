import { z } from 'zod';
import { Cause, SessionState } from './session.ts';

/** A WebSocket message of attach and exec: one channel byte, then the payload. Channel 3 carries JSON. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, control: 3 } as const;
export type Channel = (typeof CHANNEL)[keyof typeof CHANNEL];

export const ControlFromClient = z.discriminatedUnion('type', [
  z.object({ type: z.literal('resize'), rows: z.number().int().min(1).max(10_000), cols: z.number().int().min(1).max(10_000) }),
  z.object({ type: z.literal('stdin-end') }),
]);
export type ControlFromClient = z.output<typeof ControlFromClient>;

export const ControlFromServer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('status'), state: SessionState, message: z.string() }),
  z.object({ type: z.literal('attached'), replayedBytes: z.number().int() }),
  z.object({ type: z.literal('exit'), code: z.number().int(), message: z.string(), cause: Cause.nullable() }),
  z.object({ type: z.literal('problem'), code: z.string(), message: z.string() }),
]);
export type ControlFromServer = z.output<typeof ControlFromServer>;

export function encodeFrame(channel: Channel, payload: Uint8Array | string): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const frame = Buffer.allocUnsafe(body.length + 1);
  frame[0] = channel;
  frame.set(body, 1);
  return frame;
}

/** Answers undefined for an empty message or an unknown channel. */
export function decodeFrame(message: Buffer): { channel: Channel; payload: Buffer } | undefined {
  const channel = message[0];
  if (channel === undefined || channel > 3) return undefined;
  return { channel: channel as Channel, payload: message.subarray(1) };
}
