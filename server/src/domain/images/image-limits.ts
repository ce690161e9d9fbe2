import { formatBytes, parseBytes, parseCpus, type Cause, type Parsed } from '@berth/contract';
import { compare, decimalOf, formatDecimal, parseByteSize, parseCount, roundedUp, toNumber, type Decimal } from '../scheduling/decimal.ts';

type Slot = 'cpu' | 'memory' | 'gpu';
type Side = 'min' | 'max';

/** What is asked for, or null: cpus to the thousandth, memory in bytes. */
export interface Asked {
  readonly cpu: number | null;
  readonly memoryBytes: number | null;
  readonly gpu: number;
  readonly sharedMemoryBytes: number | null;
}

/** What may be used at most of that for which nothing is asked. */
export interface Ceilings {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** A bound and the label that says it. */
interface Bound {
  readonly label: string;
  readonly text: string;
  readonly value: Decimal;
}
export type ImageLimits = Readonly<Record<Side, Partial<Record<Slot, Bound>>>>;

type Read = (text: string) => Parsed<Decimal>;
const asDecimal =
  (parse: (text: string) => Parsed<number>): Read =>
  (text) => {
    const parsed = parse(text);
    return parsed.ok ? { ok: true, value: decimalOf(parsed.value) } : parsed;
  };

/** The labels of a slot, ours before those of images made for Backend.AI, each in its own grammar: to them "64m" is 64 MiB. */
const LABELS: Readonly<Record<Slot, readonly (readonly [name: (side: Side) => string, read: Read])[]>> = {
  cpu: [
    [(side) => `berth.resources.${side}.cpu`, asDecimal(parseCpus)],
    [(side) => `ai.backend.resource.${side}.cpu`, parseCount],
  ],
  memory: [
    [(side) => `berth.resources.${side}.memory`, asDecimal(parseBytes)],
    [(side) => `ai.backend.resource.${side}.mem`, parseByteSize],
  ],
  gpu: [
    [(side) => `berth.resources.${side}.gpu`, parseCount],
    [(side) => `ai.backend.resource.${side}.cuda.device`, parseCount],
  ],
};
const SLOTS = Object.keys(LABELS) as readonly Slot[];

/** A bound of nothing, or one that cannot be read, is none: nobody can do anything about it but who made the image. */
export function imageLimits(labels: Readonly<Record<string, string>>): ImageLimits {
  const boundsOf = (side: Side) => Object.fromEntries(SLOTS.flatMap((slot) => boundOf(labels, slot, side)));
  return { min: boundsOf('min'), max: boundsOf('max') };
}

function boundOf(labels: Readonly<Record<string, string>>, slot: Slot, side: Side): [Slot, Bound][] {
  for (const [name, read] of LABELS[slot]) {
    const label = name(side);
    const text = labels[label];
    const parsed = text === undefined ? undefined : read(text);
    if (text !== undefined && parsed?.ok === true && parsed.value.digits > 0n) return [[slot, { label, text, value: parsed.value }]];
  }
  return [];
}

/** What is asked for, completed by the least the image needs. /dev/shm is part of memory, so that comes on top of it. */
export function withImageMinimum<T extends Asked>(asked: T, { min }: ImageLimits): T {
  const memory = min.memory && toNumber(roundedUp(min.memory.value, 0)) + (asked.sharedMemoryBytes ?? 0);
  return {
    ...asked,
    cpu: asked.cpu ?? (min.cpu ? toNumber(roundedUp(min.cpu.value, 3)) : null),
    memoryBytes: asked.memoryBytes ?? memory ?? null,
  };
}

export interface Unfit {
  readonly slot: Slot;
  readonly cause: Cause;
}

/** The first bound that is not kept; undefined: the image can run so. Without `ceilings` only what is asked for is looked at. */
export function unfitFor(asked: Asked, { min, max }: ImageLimits, ceilings?: Ceilings): Unfit | undefined {
  const wanted: Readonly<Record<Slot, number | null>> = { cpu: asked.cpu, memory: asked.memoryBytes, gpu: asked.gpu };
  const had: Readonly<Record<Slot, number | null>> = {
    cpu: asked.cpu ?? ceilings?.cpus ?? null,
    memory: asked.memoryBytes ?? ceilings?.memoryBytes ?? null,
    gpu: asked.gpu,
  };
  for (const slot of SLOTS) {
    const [least, most] = [min[slot], max[slot]];
    const [given, allowed] = [wanted[slot], had[slot]];
    if (least !== undefined && allowed !== null && compare(decimalOf(allowed), least.value) < 0)
      return { slot, cause: unfit(slot, least, { side: 'min', amount: allowed, isAsked: given !== null }) };
    if (most !== undefined && given !== null && compare(decimalOf(given), most.value) > 0)
      return { slot, cause: unfit(slot, most, { side: 'max', amount: given, isAsked: true }) };
  }
  return undefined;
}

function unfit(slot: Slot, { label, text, value }: Bound, had: { side: Side; amount: number; isAsked: boolean }): Cause {
  const bound = `${had.side === 'min' ? 'needs at least' : 'takes at most'} ${inWords(slot, value)} (its label ${label} is "${text}")`;
  const amount = inWords(slot, decimalOf(had.amount));
  const found = had.isAsked ? `${amount} asked for` : `without a reservation it may use at most ${amount} here`;
  return {
    code: 'resources-unfit',
    message: `the image ${bound}: ${found}`,
    remedy: `Ask for ${had.side === 'min' ? 'more' : 'less'} with ${FLAGS[slot]}, or choose another image.`,
  };
}
const FLAGS: Readonly<Record<Slot, string>> = { cpu: '--cpus', memory: '--memory', gpu: '--gpus' };

function inWords(slot: Slot, value: Decimal): string {
  if (slot === 'memory') return `${formatBytes(toNumber(value))} of memory`;
  const count = formatDecimal(value);
  return `${count} ${slot === 'cpu' ? 'CPU' : 'GPU'}${count === '1' ? '' : 's'}`;
}
