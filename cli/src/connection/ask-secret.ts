import { Failure } from '../failure.ts';
import type { Io } from '../io.ts';
import { rawMode } from '../terminal/raw-mode.ts';

const KEY = { interrupt: '\x03', endOfInput: '\x04', backspace: ['\x7f', '\b'], enter: ['\r', '\n'] } as const;

/** Asks on the terminal without showing what is typed. */
export async function askSecret(question: string, io: Io): Promise<string> {
  // First unshown, then asked: who pastes at once is not faster than we are.
  const restore = rawMode(io.stdin);
  io.stderr.write(question);
  try {
    return await readLine(io);
  } finally {
    restore();
    io.stdin.pause();
    io.stderr.write('\n');
  }
}

function readLine(io: Io): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = '';
    const settle = (act: () => void): void => {
      io.stdin.off('data', onData).off('end', onEnd);
      act();
    };
    const onEnd = (): void => settle(() => reject(new Failure('interrupted', 'the terminal has gone.')));
    const onData = (data: Buffer): void => {
      for (const key of data.toString()) {
        if (key === KEY.interrupt) return settle(() => reject(new Failure('interrupted', 'not signed in: interrupted.')));
        if (KEY.enter.some((enter) => enter === key) || (key === KEY.endOfInput && typed === '')) return settle(() => resolve(typed));
        typed = KEY.backspace.some((back) => back === key) ? typed.slice(0, -1) : typed + key;
      }
    };
    io.stdin.on('data', onData).on('end', onEnd).resume();
  });
}
