import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import { loadPolicies } from '../../policy/load.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { loadForHost, readFolder, textIn } from '../policies-of.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';

/** Checks a policy folder offline. Without `--config`, `${host.NAME}` is taken as given. */
export async function validate(folder: string, options: GlobalOptions, terminal: Terminal): Promise<ExitCode> {
  const snapshot = await readFolder(folder);
  const result =
    options.config === undefined
      ? loadPolicies(snapshot.files, { revision: snapshot.revision, host: undefined, hostLabels: {} })
      : loadForHost(snapshot, configOf(options, terminal, process.env));
  if (result.ok && result.documents === 0) {
    throw new CliError(`${folder} has no policies: no file ends in .yaml or .yml, or all are drafts or empty`);
  }
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  const omitted = result.ok ? 0 : result.omitted;
  if (options.json === true) {
    terminal.out(JSON.stringify({ schemaVersion: 1, valid: result.ok, diagnostics, omitted }, null, 2));
    return result.ok ? EXIT.done : EXIT.error;
  }
  if (diagnostics.length > 0) {
    terminal.out(formatDiagnostics({ diagnostics, omitted }, { colour: terminal.colour, textOf: textIn(folder) }));
  }
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length + omitted;
  const warnings = diagnostics.length + omitted - errors;
  const doubts = warnings === 0 ? '' : `, ${count(warnings, 'warning')}`;
  if (result.ok) {
    terminal.err(
      `${paint(terminal, 'green', 'valid')}: ${count(result.documents, 'document')} in ${count(result.files, 'file')}${doubts}`,
    );
    return EXIT.done;
  }
  terminal.err(
    `${paint(terminal, 'red', 'invalid')}: ${count(errors, 'error')}${doubts}; the whole revision would be refused`,
  );
  return EXIT.error;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
