import { createInterface } from 'node:readline';
import { z } from 'zod';

/** One line of what an engine says while it pulls, builds or imports. */
const EngineEvent = z.object({
  status: z.string().optional(),
  stream: z.string().optional(),
  error: z.string().optional(),
  id: z.string().optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
});
export type EngineEvent = z.output<typeof EngineEvent>;

/** Reads to the end; an error that the engine tells in the stream (the HTTP status was 200) is thrown. */
export async function followEngine(answer: NodeJS.ReadableStream, onEvent: (event: EngineEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: answer })) {
    if (line.trim() === '') continue;
    const event = EngineEvent.parse(JSON.parse(line));
    if (event.error !== undefined) throw new Error(event.error);
    onEvent(event);
  }
}
