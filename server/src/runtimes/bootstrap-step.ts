/** What a container's wrapping shell does before it becomes the command. */

/**
 * The script reads no input, which is the command's, and an interrupt typed at its terminal ends it, not the shell. Its file is
 * executable: a first line names its interpreter, and without one the shell reads it itself.
 */
export const runScript = (path: string): string => `
trap : INT QUIT
${path} </dev/null
code=$?
trap - INT QUIT
[ "$code" = 0 ] || exit "$code"`;

/**
 * The trap is reached only where the program could not be executed: the shell then ends with 127 or 126. A bash ends without
 * a word of it, unless it is told to go on.
 */
export const becomeCommand = (complaints: string): string => `
trap 'echo "$? $1" >${complaints}' EXIT
shopt -s execfail 2>/dev/null
exec "$@"
exit`;

/** What the shell left of that: the program is missing (127) or may not be executed (126). */
export function failureToExecute(complaint: string | undefined): { readonly code: 126 | 127; readonly program: string } | undefined {
  const [, code, program] = /^(12[67]) ([^\n]*)\n?$/.exec(complaint ?? '') ?? [];
  return program === undefined ? undefined : { code: code === '126' ? 126 : 127, program };
}
