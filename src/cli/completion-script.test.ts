import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { completionScript } from './completion-script.ts';
import { createProgram } from './program.ts';

const terminal = { out: () => undefined, err: () => undefined, colour: false, isTty: false };
const program = createProgram('0.0.0', terminal, () => undefined);

/** What bash offers for the last word of a line. */
function offered(...words: readonly string[]): string[] {
  const script = completionScript(program, 'bash');
  const ask = 'eval "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _revertd; printf "%s\\n" "${COMPREPLY[@]}"';
  const answer = execFileSync('bash', ['-c', ask, script, 'revertd', ...words], { encoding: 'utf8' });
  return answer.split('\n').filter((word) => word !== '');
}

test.each([
  [['li'], ['lint']],
  [['f'], ['fmt', 'flags']],
  [
    ['fmt', '--'],
    ['--check', '--diff', '--version', '--config', '--data', '--json', '--no-color'],
  ],
  [['init', '--s'], ['--service']],
  [
    ['lint', '--format', ''],
    ['text', 'github'],
  ],
  [['lint', 'policies/', '--max'], ['--max-warnings']],
  [['flags', 's'], ['set']],
  [['flags', 'set', '--t'], ['--ttl']],
  [['completion', ''], []],
])('bash completes %j', (words, expected) => {
  expect(offered(...words).filter((word) => expected.length > 0 || !word.startsWith('--'))).toEqual(expected);
});

test('every command is in the script of each shell', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const script = completionScript(program, shell);
    const names = program.commands.map((command) => command.name());
    expect(names.filter((name) => !script.includes(name))).toEqual([]);
    expect(script).toContain('revertd');
  }
});

test('fish gets the descriptions, quoted', () => {
  const script = completionScript(program, 'fish');
  expect(script).toContain(`complete -c revertd -n '__fish_use_subcommand' -a lint -d 'doubts about policies`);
  expect(script).toContain(`-n '__fish_seen_subcommand_from flags; and __fish_seen_subcommand_from set' -l ttl`);
  expect(script).toContain(String.raw`override git\'s value`);
});
