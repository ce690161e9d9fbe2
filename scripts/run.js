import { spawn } from 'node:child_process';
import { root } from './root.js';

/**
 * Runs a program to its end. Never throws for an exit code; `output` holds both streams as they came.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, input?: string, source?: import('node:stream').Readable, show?: boolean, stdio?: 'inherit' }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, options = {}) {
  const silent = options.input === undefined && options.source === undefined;
  const stdio = options.stdio === 'inherit' ? 'inherit' : [silent ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: options.cwd ?? root, env: options.env ?? process.env, stdio });
    let output = '';
    const keep = (chunk) => {
      output += chunk;
      if (options.show) process.stderr.write(chunk);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdin?.on('error', () => {});
    // A source that breaks off ends early: the program sees that itself.
    if (options.source) options.source.on('error', () => child.stdin.end()).pipe(child.stdin);
    else child.stdin?.end(options.input);
    child.on('error', (error) => resolve({ code: 127, output: `${command}: ${error.message}` }));
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 143), output }));
  });
}

/** The same, for a program that must succeed: its output, or an error that carries it. */
export async function must(command, args, options) {
  const { code, output } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.trim()}`);
  return output;
}
