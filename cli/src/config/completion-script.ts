export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export interface Completed {
  /** ['session', 'create'] or ['login'] */
  readonly path: readonly string[];
  readonly summary: string;
  readonly options: readonly string[];
  readonly takesSession: boolean;
}

const GLOBAL = ['--url', '--token', '--json', '--quiet', '--help'];
/** Never asks: its input is empty, so a missing token is an error that nobody sees. */
const SESSIONS = 'berth session list --quiet </dev/null 2>/dev/null';

/** A script to be sourced; it completes commands, options and the ids of your sessions. */
export function completionScript(shell: Shell, commands: readonly Completed[]): string {
  if (shell === 'fish') return fish(commands);
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}` : bash(commands);
}

function bash(commands: readonly Completed[]): string {
  const cases = commands.map((command) => {
    const session = command.takesSession ? ` $(${SESSIONS})` : '';
    const words = [...below(commands, command.path), ...command.options, ...GLOBAL].join(' ');
    return `    '${command.path.join(' ')}') words="${words}${session}" ;;`;
  });
  return `_berth() {
  local path='' word words
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      --) return ;;
      -*) continue ;;
    esac
    case "\${path:+$path }$word" in
      ${commands.map(({ path }) => `'${path.join(' ')}'`).join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
    '') words="${[...below(commands, []), ...GLOBAL].join(' ')}" ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _berth berth
`;
}

function fish(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ path, summary, options, takesSession }) => {
    const name = path.at(-1) ?? '';
    const parents = path.slice(0, -1);
    const here = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const siblings = below(commands, parents).join(' ');
    const before = [...parents.map((word) => `__fish_seen_subcommand_from ${word}`), `not __fish_seen_subcommand_from ${siblings}`].join(
      '; and ',
    );
    return [
      `complete -c berth -f -n '${before}' -a '${name}' -d '${summary.replaceAll("'", '’')}'`,
      ...options.map((option) => `complete -c berth -n '${here}' -l '${option.slice(2)}'`),
      ...(takesSession ? [`complete -c berth -f -n '${here}' -a '(${SESSIONS})'`] : []),
    ];
  });
  return `${[...lines, ...GLOBAL.map((option) => `complete -c berth -l '${option.slice(2)}'`)].join('\n')}\n`;
}

/** The words that may follow `path`. */
function below(commands: readonly Completed[], path: readonly string[]): string[] {
  const isBelow = (command: Completed): boolean =>
    command.path.length === path.length + 1 && path.every((word, at) => command.path[at] === word);
  return commands.filter(isBelow).map((command) => command.path.at(-1) ?? '');
}
