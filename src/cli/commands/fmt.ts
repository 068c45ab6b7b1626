import { readFileSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import type { Diagnostic } from '../../policy/diagnostic.ts';
import { formatPolicy } from '../../policy/fmt/format-policy.ts';
import { formatDiagnostics } from '../../policy/format-diagnostic.ts';
import { CliError, EXIT, type ExitCode } from '../exit-code.ts';
import { replaceFile } from '../replace-file.ts';
import type { GlobalOptions } from '../setup.ts';
import { paint, type Terminal } from '../terminal.ts';
import { yamlFilesIn } from '../yaml-files.ts';

export type FmtOptions = GlobalOptions & { readonly check?: boolean; readonly diff?: boolean };

type Outcome =
  | { readonly path: string; readonly state: 'canonical'; readonly before: string }
  | { readonly path: string; readonly state: 'different'; readonly before: string; readonly after: string }
  | { readonly path: string; readonly state: 'faulty'; readonly diagnostics: readonly Diagnostic[] };

/**
 * Lays policies out. Writes unless `--check` or `--diff`, which exit 1 if something is not laid out so. A file that
 * is not YAML is left alone, and the exit code is 1.
 */
export async function fmt(paths: readonly string[], options: FmtOptions, terminal: Terminal): Promise<ExitCode> {
  if (paths.includes('-')) return await fmtInput(paths, options, terminal);
  const files = yamlFilesIn(paths.length === 0 ? ['.'] : paths);
  if (files.length === 0) throw new CliError(`no file ends in .yaml or .yml in ${paths.join(', ') || 'this folder'}`);
  const outcomes = files.map((path) => outcomeOf(path, readBytes(path)));
  const writes = options.check !== true && options.diff !== true;
  for (const outcome of outcomes) if (writes && outcome.state === 'different') replaceFile(outcome.path, outcome.after);
  if (options.json === true) terminal.out(JSON.stringify(jsonOf(outcomes, options), null, 2));
  else show(outcomes, options, terminal);
  return exitCode(outcomes, writes);
}

/** From standard input to standard output, as editors call a formatter. */
async function fmtInput(paths: readonly string[], options: FmtOptions, terminal: Terminal): Promise<ExitCode> {
  if (paths.length > 1)
    throw new CliError('`-` stands alone: standard input is formatted to standard output', EXIT.usage);
  const outcome = outcomeOf('<stdin>', await buffer(process.stdin));
  const writes = options.check !== true && options.diff !== true;
  if (options.json === true) terminal.out(JSON.stringify(jsonOf([outcome], options), null, 2));
  else if (!writes || outcome.state === 'faulty') show([outcome], options, terminal);
  else terminal.out((outcome.state === 'different' ? outcome.after : outcome.before).replace(/\n$/, ''));
  return exitCode([outcome], writes);
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(`${path} cannot be read: ${why}`, undefined, { cause });
  }
}

function outcomeOf(path: string, bytes: Buffer): Outcome {
  const formatted = formatPolicy({ path, bytes });
  if (!formatted.ok) return { path, state: 'faulty', diagnostics: formatted.diagnostics };
  const before = bytes.toString('utf8');
  if (!formatted.changed) return { path, state: 'canonical', before };
  return { path, state: 'different', before, after: formatted.text };
}

function show(outcomes: readonly Outcome[], options: FmtOptions, terminal: Terminal): void {
  for (const outcome of outcomes) {
    if (outcome.state === 'faulty') terminal.err(faultText(outcome, terminal));
    else if (outcome.state === 'different') terminal.out(changeText(outcome, options, terminal));
  }
  terminal.err(summary(outcomes, options, terminal));
}

function faultText({ path, diagnostics }: Outcome & { readonly state: 'faulty' }, terminal: Terminal): string {
  const textOf = (): string | undefined => (path === '<stdin>' ? undefined : readBytes(path).toString('utf8'));
  return formatDiagnostics({ diagnostics, omitted: 0 }, { colour: terminal.colour, textOf });
}

function changeText(
  { path, before, after }: Outcome & { readonly state: 'different' },
  { diff }: FmtOptions,
  terminal: Terminal,
): string {
  if (diff !== true) return path;
  const patch = createTwoFilesPatch(path, path, before, after, 'as it is', 'canonical', {
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch
    .trimEnd()
    .split('\n')
    .map((line) => paintLine(line, terminal))
    .join('\n');
}

function paintLine(line: string, terminal: Terminal): string {
  if (line.startsWith('@@')) return paint(terminal, 'cyan', line);
  if (line.startsWith('+')) return paint(terminal, 'green', line);
  return line.startsWith('-') ? paint(terminal, 'red', line) : line;
}

function summary(outcomes: readonly Outcome[], { check, diff }: FmtOptions, terminal: Terminal): string {
  const count = (state: Outcome['state']): number => outcomes.filter((outcome) => outcome.state === state).length;
  const verb = check === true || diff === true ? 'to format' : 'formatted';
  const parts = [
    `${count('different')} ${verb}`,
    `${count('canonical')} as they should be`,
    ...(count('faulty') === 0 ? [] : [`${count('faulty')} left alone`]),
  ];
  return paint(terminal, count('faulty') === 0 ? 'green' : 'red', parts.join(', '));
}

function jsonOf(outcomes: readonly Outcome[], { check, diff }: FmtOptions) {
  const written = check !== true && diff !== true;
  const files = outcomes.map((outcome) => {
    const { path, state } = outcome;
    if (outcome.state === 'faulty') return { path, state, diagnostics: outcome.diagnostics };
    if (outcome.state === 'canonical' || path !== '<stdin>') return { path, state };
    return { path, state, text: outcome.after };
  });
  return { schemaVersion: 1, written, files };
}

function exitCode(outcomes: readonly Outcome[], writes: boolean): ExitCode {
  const isFault = ({ state }: Outcome): boolean => state === 'faulty' || (!writes && state === 'different');
  return outcomes.some(isFault) ? EXIT.error : EXIT.done;
}
