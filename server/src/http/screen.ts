import { SerializeAddon } from '@xterm/addon-serialize';
import xterm from '@xterm/headless';

const TAIL_BYTES = 1024 * 1024;
const SCROLLBACK = 1_000;
const HOME_AND_CLEAR = '\u001b[H\u001b[2J';

export interface Screen {
  /** What draws it on an empty terminal of the same size. */
  readonly data: Buffer;
  /** A full-screen program (editor, pager) is on it. */
  readonly fullScreen: boolean;
}

/** The screen a terminal of this size shows after this output: what a returning client sees, without its queries and bells. */
export async function screenAfter(output: Buffer, size: { rows: number; cols: number }): Promise<Screen> {
  const terminal = new xterm.Terminal({ ...size, scrollback: SCROLLBACK, allowProposedApi: true });
  const serializer = new SerializeAddon();
  try {
    terminal.loadAddon(serializer);
    await new Promise<void>((resolve) => terminal.write(output.subarray(-TAIL_BYTES), resolve));
    const text = serializer.serialize({ scrollback: SCROLLBACK });
    const fullScreen = terminal.buffer.active.type === 'alternate';
    return { data: text === '' ? Buffer.alloc(0) : Buffer.from(HOME_AND_CLEAR + text), fullScreen };
  } finally {
    terminal.dispose();
  }
}
