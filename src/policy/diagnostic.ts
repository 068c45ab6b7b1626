import type { Origin } from '../core/model/origin.ts';

export type Severity = 'error' | 'warning';

/** One fault of a revision, or one doubt about it, and where it stands. Lines and columns count from 1. */
export type Diagnostic = Origin & {
  readonly severity: Severity;
  /** Stable, for tools: `E-` and `W-` and a few words. */
  readonly code: string;
  readonly message: string;
  /** What stands there, as the author wrote it. */
  readonly found?: string;
  /** What may stand there, in words. */
  readonly expected?: string;
  /** The nearest right thing to write. */
  readonly suggestion?: string;
  readonly related?: readonly Related[];
};

export type Related = Origin & { readonly message: string };

/** The words of a diagnostic, apart from its place, code and severity. */
export type Wording = Pick<Diagnostic, 'message' | 'found' | 'expected' | 'suggestion' | 'related'>;

export function errorAt(origin: Origin, code: string, wording: Wording | string): Diagnostic {
  return diagnosticAt(origin, 'error', code, wording);
}

export function warningAt(origin: Origin, code: string, wording: Wording | string): Diagnostic {
  return diagnosticAt(origin, 'warning', code, wording);
}

function diagnosticAt(
  { file, line, column }: Origin,
  severity: Severity,
  code: string,
  wording: Wording | string,
): Diagnostic {
  return { file, line, column, severity, code, ...(typeof wording === 'string' ? { message: wording } : wording) };
}

/** By file, line and column; at one place errors before warnings. */
export function compareDiagnostics(left: Diagnostic, right: Diagnostic): number {
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return (
    left.line - right.line ||
    left.column - right.column ||
    left.severity.localeCompare(right.severity) ||
    left.code.localeCompare(right.code)
  );
}

/** No more diagnostics than this are kept of a revision: nobody reads more, and logs and notifications stay small. */
export const MOST_DIAGNOSTICS = 200;

export type Bounded = { readonly diagnostics: readonly Diagnostic[]; readonly omitted: number };

/** Sorted, and cut at `MOST_DIAGNOSTICS`; warnings are left out before errors are. */
export function boundDiagnostics(all: readonly Diagnostic[]): Bounded {
  const sorted = all.toSorted(compareDiagnostics);
  if (sorted.length <= MOST_DIAGNOSTICS) return { diagnostics: sorted, omitted: 0 };
  const errors = sorted.filter(({ severity }) => severity === 'error').slice(0, MOST_DIAGNOSTICS);
  const warnings = sorted.filter(({ severity }) => severity === 'warning').slice(0, MOST_DIAGNOSTICS - errors.length);
  const diagnostics = [...errors, ...warnings].sort(compareDiagnostics);
  return { diagnostics, omitted: sorted.length - diagnostics.length };
}
