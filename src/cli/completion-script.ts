import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What may stand behind a row of command words. */
type Place = {
  readonly words: readonly string[];
  readonly commands: readonly Entry[];
  readonly options: readonly Entry[];
};
type Entry = { readonly name: string; readonly description: string; readonly choices: readonly string[] };

/** A script that completes the commands and options of the program, made from the program itself. */
export function completionScript(program: Command, shell: Shell): string {
  const places = placesBelow(program, [], optionsOf(program));
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return `autoload -Uz bashcompinit && bashcompinit\n${bashScript(places)}`;
    case 'fish':
      return fishScript(places);
    default:
      return shell satisfies never;
  }
}

function placesBelow(command: Command, words: readonly string[], shared: readonly Entry[]): readonly Place[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  const commands = children.map((child) => ({ name: child.name(), description: child.description(), choices: [] }));
  const own = words.length === 0 ? shared : [...optionsOf(command), ...shared];
  return [
    { words, commands, options: own },
    ...children.flatMap((child) => placesBelow(child, [...words, child.name()], shared)),
  ];
}

function optionsOf(command: Command): readonly Entry[] {
  return command.options.map((option) => ({
    name: option.long ?? '',
    description: option.description,
    choices: option.argChoices ?? [],
  }));
}

/** Words are found by the row of command words before them; where a place has none, files are offered. */
function bashScript(places: readonly Place[]): string {
  const rows = places.map(({ words, commands, options }) => {
    const all = [...commands, ...options].map(({ name }) => name).join(' ');
    return `    '${words.join(' ')}') words='${all}' ;;`;
  });
  const choices = distinctChoices(places).map(({ name, choices }) => `    ${name}) words='${choices.join(' ')}' ;;`);
  return `# revertd completion bash
_revertd() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' word words='' next
  case $previous in
${choices.join('\n')}
  esac
  if [ -z "$words" ]; then
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
      next="\${path:+$path }$word"
      case $next in
${places
  .filter(({ words }) => words.length > 0)
  .map(({ words }) => `        '${words.join(' ')}') path=$next ;;`)
  .join('\n')}
      esac
    done
    case $path in
${rows.join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _revertd revertd
`;
}

function distinctChoices(places: readonly Place[]): readonly Entry[] {
  const withChoices = places.flatMap(({ options }) => options.filter(({ choices }) => choices.length > 0));
  return [...new Map(withChoices.map((entry) => [entry.name, entry])).values()];
}

function fishScript(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, commands, options }) => {
    const [first, second] = words;
    const seen = [first, second].flatMap((word) => (word === undefined ? [] : [`__fish_seen_subcommand_from ${word}`]));
    const condition = seen.length === 0 ? '__fish_use_subcommand' : seen.join('; and ');
    return [
      ...commands.map(
        ({ name, description }) => `complete -c revertd -n '${condition}' -a ${name} -d ${fishText(description)}`,
      ),
      ...options.map(
        ({ name, description, choices }) =>
          `complete -c revertd -n '${condition}' -l ${name.slice(2)}${choices.length === 0 ? '' : ` -xa '${choices.join(' ')}'`} -d ${fishText(description)}`,
      ),
    ];
  });
  return `# revertd completion fish\n${lines.join('\n')}\n`;
}

function fishText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
