import { join } from 'node:path';
import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import { type Finding, type LintResult, lintPolicies } from '../../policy/lint/lint.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { loadOptionsFor, readFolder, textIn } from '../policies-of.ts';
import { configOf, type GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';

export type LintOptions = GlobalOptions & { readonly maxWarnings?: string; readonly format?: 'text' | 'github' };

/**
 * Doubts about a valid policy folder. Exits 1 if there are more warnings than `--max-warnings` allows (0), or if the
 * folder is not valid. Advice never fails.
 */
export async function lint(folder: string, options: LintOptions, terminal: Terminal): Promise<ExitCode> {
  const allowed = allowedWarnings(options.maxWarnings);
  const snapshot = await readFolder(folder);
  const result = lintPolicies(
    snapshot.files,
    options.config === undefined
      ? { revision: snapshot.revision, host: undefined, hostLabels: {} }
      : loadOptionsFor(snapshot, configOf(options, terminal, process.env)),
  );
  if (!result.ok) return showFaults(folder, result, options, terminal);
  if (result.documents === 0)
    throw new CliError(`${folder} has no policies: no file ends in .yaml or .yml, or all are drafts or empty`);
  const warnings = result.findings.filter(({ severity }) => severity === 'warning').length;
  const passed = warnings <= allowed;
  if (options.json === true) terminal.out(JSON.stringify(jsonOf(result, passed), null, 2));
  else show(folder, result, options, terminal);
  return passed ? EXIT.done : EXIT.error;
}

type Sound = LintResult & { readonly ok: true };
type Faulty = LintResult & { readonly ok: false };

function allowedWarnings(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d+$/.test(text)) return Number(text);
  throw new CliError(`--max-warnings is a whole number from 0; found "${text}"`, EXIT.usage);
}

function showFaults(
  folder: string,
  { diagnostics, omitted }: Faulty,
  options: LintOptions,
  terminal: Terminal,
): ExitCode {
  if (options.json === true) {
    const answer = { schemaVersion: 1, valid: false, passed: false, findings: [], silenced: [], diagnostics, omitted };
    terminal.out(JSON.stringify(answer, null, 2));
    return EXIT.error;
  }
  if (options.format === 'github') {
    for (const { severity, code, ...found } of diagnostics) terminal.out(annotation(folder, severity, code, found));
  } else {
    terminal.out(formatDiagnostics({ diagnostics, omitted }, { colour: terminal.colour, textOf: textIn(folder) }));
  }
  terminal.err(`${paint(terminal, 'red', 'invalid')}: lint looks at valid policies only; mend these first`);
  return EXIT.error;
}

function jsonOf({ findings, silenced }: Sound, passed: boolean) {
  return { schemaVersion: 1, valid: true, passed, findings, silenced, diagnostics: [], omitted: 0 };
}

function show(folder: string, result: Sound, { format }: LintOptions, terminal: Terminal): void {
  for (const finding of result.findings) {
    terminal.out(format === 'github' ? githubLine(folder, finding) : findingText(folder, finding, terminal));
  }
  terminal.err(summary(result, terminal));
}

function githubLine(folder: string, finding: Finding): string {
  const message = `${finding.message}. ${finding.why} Mend: ${finding.mend}.`;
  const kind = finding.severity === 'warning' ? 'warning' : 'notice';
  return annotation(folder, kind, finding.rule, { ...finding, message });
}

/** A line that GitHub Actions shows beside the changed line (workflow commands). */
function annotation(
  folder: string,
  kind: string,
  title: string,
  { file, line, column, message }: Pick<Finding, 'file' | 'line' | 'column' | 'message'>,
): string {
  const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const place = `file=${property(join(folder, file))},line=${line},col=${column},title=${property(title)}`;
  return `::${kind} ${place}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** The place and what is there as every diagnostic is shown; why and how to mend it below. */
function findingText(folder: string, finding: Finding, terminal: Terminal): string {
  const { rule, message, why, mend, severity, file, line, column } = finding;
  const diagnostic = { file, line, column, message, code: rule, severity: 'warning' } as const;
  const text = formatDiagnostics(
    { diagnostics: [diagnostic], omitted: 0 },
    { colour: terminal.colour, textOf: textIn(folder) },
  );
  const shown = severity === 'warning' ? text : text.replace('warning[', 'advice[');
  const label = (word: string): string => paint(terminal, 'dim', word);
  return `${shown}\n      ${label('why:')}  ${why}\n      ${label('mend:')} ${mend}`;
}

function summary({ findings, silenced, documents, files }: Sound, terminal: Terminal): string {
  const warnings = findings.filter(({ severity }) => severity === 'warning').length;
  const advice = findings.length - warnings;
  const counts = [
    ...(warnings === 0 ? [] : [count(warnings, 'warning')]),
    ...(advice === 0 ? [] : [`${advice} ${advice === 1 ? 'piece' : 'pieces'} of advice`]),
    ...(silenced.length === 0 ? [] : [`${silenced.length} silenced`]),
  ];
  const verdict = warnings === 0 ? paint(terminal, 'green', 'no warnings') : paint(terminal, 'yellow', 'doubtful');
  const hint = findings.length === 0 ? '' : '\nSilence one with a reason: # revertd-lint disable=RULE -- REASON';
  return `${verdict}: ${[`${count(documents, 'document')} in ${count(files, 'file')}`, ...counts].join(', ')}${hint}`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
