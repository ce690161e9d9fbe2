import type { Parsed } from '@berth/contract';
import { parseByteSize, parseCount, type Decimal } from '../../domain/scheduling/decimal.ts';

/** The slots there are here and how each is counted, as clients ask for them. */
export const SLOT_TYPES = { cpu: 'count', mem: 'bytes', 'cuda.device': 'count' } as const;
export type SlotName = keyof typeof SLOT_TYPES;

const ALIASES: Readonly<Record<string, SlotName>> = { 'cuda.devices': 'cuda.device' };

export type Slots = Partial<Record<SlotName, Decimal>>;

const fail = (message: string): { ok: false; message: string } => ({ ok: false, message });

/** `{"cpu": "0.5", "mem": "1.5g"}`; a slot of nothing is one that was not asked for. */
export function parseSlots(asked: Readonly<Record<string, string | number>>): Parsed<Slots> {
  const slots: Slots = {};
  for (const [key, value] of Object.entries(asked)) {
    const name = Object.hasOwn(ALIASES, key) ? ALIASES[key] : key;
    if (!isSlotName(name)) return fail(`"${key}" is no resource slot here: there are ${Object.keys(SLOT_TYPES).join(', ')}`);
    const parsed = SLOT_TYPES[name] === 'bytes' ? parseByteSize(String(value)) : parseCount(String(value));
    if (!parsed.ok) return fail(`${key}: ${parsed.message}`);
    if (parsed.value.digits > 0n) slots[name] = parsed.value;
  }
  return { ok: true, value: slots };
}

const isSlotName = (name: string | undefined): name is SlotName => name !== undefined && Object.hasOwn(SLOT_TYPES, name);
