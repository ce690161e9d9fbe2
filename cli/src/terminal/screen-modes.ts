/** Private terminal modes that a program cut off in the middle leaves behind: mouse, paste brackets, other screen, arrow keys. */
const LEFT_BEHIND = new Set(['1', '9', '1000', '1002', '1003', '1004', '1005', '1006', '1015', '2004', '47', '1047', '1049']);
const CURSOR = '25';

/** Remembers which modes are set, by reading along. */
export class ScreenModes {
  private readonly set = new Set<string>();
  private isCursorHidden = false;
  private tail = '';

  see(bytes: Buffer): void {
    const text = this.tail + bytes.toString('latin1');
    // oxlint-disable-next-line no-control-regex
    for (const [, numbers = '', end] of text.matchAll(/\x1b\[\?([\d;]+)([hl])/g)) {
      for (const mode of numbers.split(';')) this.change(mode, end === 'h');
    }
    // A sequence may be cut in two; one that was seen whole is not seen again.
    // oxlint-disable-next-line no-control-regex
    this.tail = /\x1b(?:\[(?:\?[\d;]{0,32})?)?$/.exec(text)?.[0] ?? '';
  }

  private change(mode: string, isSet: boolean): void {
    if (mode === CURSOR) this.isCursorHidden = !isSet;
    else if (LEFT_BEHIND.has(mode) && isSet) this.set.add(mode);
    else this.set.delete(mode);
  }

  /** What puts them back; empty when there is nothing to put back. */
  undo(): string {
    const off = [...this.set].map((mode) => `\x1b[?${mode}l`).join('');
    return `${off}${this.isCursorHidden ? `\x1b[?${CURSOR}h` : ''}`;
  }
}
