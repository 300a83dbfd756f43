// Completion scripts, made from the command line's own declaration: what it knows, shells complete.
import type {Command} from 'commander';

/** A command as a shell completes it: its path (`vault edit`), subcommands, options, and what stands for a value. */
type Word = {readonly text: string; readonly does: string};
type Completed = {
  readonly path: readonly string[];
  readonly words: readonly Word[];
  /** values of options, by flag */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** flags that take a value of which nothing is known but that it may be a file */
  readonly files: readonly string[];
  /** whether a file may stand as an argument */
  readonly takesFiles: boolean;
};

export type Shell = 'bash' | 'zsh' | 'fish';

/** The completion script for a shell. */
export function completionScript(shell: Shell, program: Command): string {
  const commands = walk(program, []);
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return `#compdef tsplay\n${zsh(commands)}`;
    case 'fish':
      return fish(commands);
  }
}

function walk(command: Command, path: readonly string[]): readonly Completed[] {
  const visible = command.createHelp();
  const values = new Map<string, readonly string[]>();
  const files: string[] = [];
  const words: Word[] = visible
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help')
    .map((each) => ({text: each.name(), does: each.description()}));
  for (const argument of command.registeredArguments)
    for (const choice of argument.argChoices ?? []) words.push({text: choice, does: argument.description});
  for (const option of visible.visibleOptions(command)) {
    for (const flag of [option.short, option.long]) {
      if (flag === undefined) continue;
      words.push({text: flag, does: option.description});
      if (option.argChoices !== undefined) values.set(flag, option.argChoices);
      else if (option.required || option.optional) files.push(flag);
    }
  }
  const takesFiles = command.registeredArguments.some(({argChoices}) => argChoices === undefined);
  return [
    {path, words, values, files, takesFiles},
    ...command.commands.flatMap((sub) => walk(sub, [...path, sub.name()])),
  ];
}

/** `modules` stands for the names of modules, which only tsplay itself knows. */
const modules = 'tsplay doc 2>/dev/null | cut -d" " -f1';

/** The commands with arguments that may be files, as a pattern of `case`. */
function takers(commands: readonly Completed[]): string {
  return commands
    .filter(({takesFiles}) => takesFiles)
    .map(({path}) => `'${path.join(' ')}'`)
    .join('|');
}

function bash(commands: readonly Completed[]): string {
  const cases = commands.map(({path, words}) => {
    const list = words.map(({text}) => text).join(' ');
    return `    '${path.join(' ')}') words='${list}' ;;`;
  });
  const values = commands.flatMap((command) =>
    [...command.values].map(([flag, list]) => `    '${command.path.join(' ')} ${flag}') words='${list.join(' ')}' ;;`),
  );
  const files = commands.flatMap((command) =>
    command.files.map(
      (flag) => `    '${command.path.join(' ')} ${flag}') COMPREPLY=($(compgen -f -- "$current")); return ;;`,
    ),
  );
  return `# bash completion for tsplay:  source <(tsplay completion bash)
_tsplay() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} path='' words='' word i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "$path $word" in
${commands
  .filter(({path}) => path.length > 0)
  .map(({path}) => `      '${path.slice(0, -1).join(' ')} ${path.at(-1)!}') path='${path.join(' ')}' ;;`)
  .join('\n')}
    esac
  done
  case "$path $before" in
${[...values, ...files].join('\n')}
  esac
  if [ -z "$words" ]; then
    case $path in
${cases.join('\n')}
    esac
    [ "$path" = doc ] && words="$words $(${modules})"
    case $path in
    ${takers(commands)}) [[ $current == -* ]] || COMPREPLY=($(compgen -f -- "$current")) ;;
    esac
  fi
  COMPREPLY+=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _tsplay tsplay
`;
}

function zsh(commands: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
  const described = ({text, does}: Word): string =>
    quoted(`${text.replaceAll(':', '\\:')}:${does.replaceAll(':', '\\:')}`);
  return `# zsh completion for tsplay:  source <(tsplay completion zsh)
_tsplay() {
  local path='' word i
  local -a described
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    case "$path $word" in
${commands
  .filter(({path}) => path.length > 0)
  .map(({path}) => `      '${path.slice(0, -1).join(' ')} ${path.at(-1)!}') path='${path.join(' ')}' ;;`)
  .join('\n')}
    esac
  done
  case "$path $words[CURRENT-1]" in
${commands
  .flatMap((command) => [
    ...[...command.values].map(
      ([flag, list]) => `    '${command.path.join(' ')} ${flag}') compadd -- ${list.map(quoted).join(' ')}; return ;;`,
    ),
    ...command.files.map((flag) => `    '${command.path.join(' ')} ${flag}') _files; return ;;`),
  ])
  .join('\n')}
  esac
  case $path in
${commands
  .map(({path, words}) => `    '${path.join(' ')}') described=(${words.map(described).join(' ')}) ;;`)
  .join('\n')}
  esac
  [[ $path == doc ]] && compadd -- $(${modules})
  _describe tsplay described
  case $path in
    ${takers(commands)}) [[ $PREFIX == -* ]] || _files ;;
  esac
}
compdef _tsplay tsplay
`;
}

function fish(commands: readonly Completed[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = ['# fish completion for tsplay:  tsplay completion fish | source'];
  for (const {path, words, values, files} of commands) {
    const subs = commands.filter(
      (each) => each.path.length === path.length + 1 && path.every((p, i) => each.path[i] === p),
    );
    const inside = path.map((name) => `__fish_seen_subcommand_from ${name}`);
    const outside =
      subs.length === 0 ? [] : [`not __fish_seen_subcommand_from ${subs.map((s) => s.path.at(-1)!).join(' ')}`];
    const when = path.length === 0 ? '__fish_use_subcommand' : [...inside, ...outside].join('; and ');
    for (const {text, does} of words) {
      const flag = text.startsWith('--')
        ? `-l ${text.slice(2)}`
        : text.startsWith('-')
          ? `-s ${text.slice(1)}`
          : `-a ${text} -f`;
      const choices = values.get(text);
      const value = choices !== undefined ? ` -x -a ${quoted(choices.join(' '))}` : files.includes(text) ? ' -r' : '';
      lines.push(`complete -c tsplay -n ${quoted(when)} ${flag}${value} -d ${quoted(does)}`);
    }
  }
  lines.push(`complete -c tsplay -n '__fish_seen_subcommand_from doc' -f -a '(${modules.replaceAll("'", "\\'")})'`);
  return `${lines.join('\n')}\n`;
}
