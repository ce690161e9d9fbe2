/** One line of the engine's answer to a pull. */
export interface PullEvent {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

interface Layer {
  done: boolean;
  current: number;
  total: number;
}

/** Adds up what the engine says of each layer: "layer 3 of 7, 120MiB of 340MiB". */
export class PullProgress {
  readonly #layers = new Map<string, Layer>();
  #line = 'asking the registry';

  see(event: PullEvent): void {
    const status = event.status ?? event.stream?.trim();
    if (status === undefined || status === '') return;
    if (event.id === undefined || !LAYER_STATUS.has(status)) {
      if (this.#layers.size === 0) this.#line = status;
      return;
    }
    const layer = this.#layers.get(event.id) ?? { done: false, current: 0, total: 0 };
    this.#layers.set(event.id, layer);
    if (status === 'Downloading') Object.assign(layer, event.progressDetail);
    if (DOWNLOADED.has(status)) layer.current = layer.total;
    if (DONE.has(status)) layer.done = true;
  }

  text(): string {
    const layers = [...this.#layers.values()];
    if (layers.length === 0) return this.#line;
    const at = Math.min(layers.filter((layer) => layer.done).length + 1, layers.length);
    const current = layers.reduce((sum, layer) => sum + layer.current, 0);
    const total = layers.reduce((sum, layer) => sum + layer.total, 0);
    return `layer ${at} of ${layers.length}${total === 0 ? '' : `, ${mebibytes(current)} of ${mebibytes(total)}`}`;
  }
}

const DOWNLOADED = new Set(['Download complete', 'Extracting', 'Pull complete', 'Verifying Checksum']);
const DONE = new Set(['Pull complete', 'Already exists']);
const LAYER_STATUS = new Set(['Pulling fs layer', 'Waiting', 'Downloading', ...DOWNLOADED, ...DONE]);
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)}MiB`;
