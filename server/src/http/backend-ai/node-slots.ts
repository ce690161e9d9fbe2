import type { Node } from '@berth/contract';
import type { Slots } from '../../domain/scheduling/slots.ts';

/** What a node has, and what is held of it: both in Berth's slots. */
export function nodeSlots({ capacity, free }: Node): { readonly capacity: Slots; readonly held: Slots; readonly free: Slots } {
  const held = {
    cpu: Math.max(0, Math.round((capacity.cpu - free.cpu) * 1000) / 1000),
    memoryBytes: Math.max(0, capacity.memoryBytes - free.memoryBytes),
    gpu: Math.max(0, capacity.gpu - free.gpu),
  };
  return { capacity, held, free };
}

const NONE: Slots = { cpu: 0, memoryBytes: 0, gpu: 0 };

export const sumOf = (slots: readonly Slots[]): Slots =>
  slots.reduce(
    (sum, { cpu, memoryBytes, gpu }) => ({
      cpu: Math.round((sum.cpu + cpu) * 1000) / 1000,
      memoryBytes: sum.memoryBytes + memoryBytes,
      gpu: sum.gpu + gpu,
    }),
    NONE,
  );

/** Every slot there is by its name there, also those of nothing. */
export const inTheirWords = ({ cpu, memoryBytes, gpu }: Slots): Readonly<Record<string, string>> => ({
  cpu: String(cpu),
  mem: String(memoryBytes),
  'cuda.device': String(gpu),
});
