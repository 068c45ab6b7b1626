import type { Command } from 'commander';
import { nearestName } from '../../core/nearest-name.ts';
import { completionScript, SHELLS } from '../completion-script.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';

/** Prints the script by which a shell completes commands and options. */
export async function completion(name: string, program: Command, terminal: Terminal): Promise<ExitCode> {
  const shell = SHELLS.find((known) => known === name);
  if (shell === undefined) {
    const meant = nearestName(name, SHELLS);
    const hint = meant === undefined ? `expected ${SHELLS.join(', ')}` : `did you mean ${meant}?`;
    throw new CliError(`there is no completion for "${name}"; ${hint}`, EXIT.usage);
  }
  terminal.out(completionScript(program, shell).trimEnd());
  return EXIT.done;
}
