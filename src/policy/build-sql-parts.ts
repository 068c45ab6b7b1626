import type { RowBounds, SqlDatabase, SqlExpectation } from '../core/model/sql-step.ts';
import type { SqlDialect } from '../core/sql/scan-sql.ts';
import { type SplitStatement, splitStatements } from '../core/sql/split-statements.ts';
import { type BuildContext, fault, faultAtKey, pathAt } from './build-context.ts';
import { buildThreshold, checkSecret } from './build-parts.ts';
import { alternativesText } from './found.ts';
import { hasVariable } from './host-variables.ts';
import type { Path } from './path.ts';
import type { RawRowBounds, RawSqlCondition, RawSqlDatabase } from './raw-documents.ts';

/** The schema has seen to it that there is exactly one. */
export function buildSqlDatabase(
  context: BuildContext,
  path: Path,
  raw: RawSqlDatabase,
  use: 'read' | 'write',
): SqlDatabase {
  if (raw.postgres !== undefined) {
    return { kind: 'postgres', dsn: checkSecret(context, [...path, 'postgres'], raw.postgres) };
  }
  return { kind: 'sqlite', path: pathAt(context, [...path, 'sqlite'], raw.sqlite ?? '', use) };
}

/** A second choice beside the one that the schema sees to. */
export function exactlyOne(context: BuildContext, path: Path, raw: object, keys: readonly string[]): void {
  const found = keys.filter((key) => key in raw);
  if (found.length === 1) return;
  const expected = alternativesText(keys);
  const message = `\`${path.at(-1)}\` needs exactly one of ${expected}; found ${found.length === 0 ? 'none' : found.join(' and ')}`;
  faultAtKey(context, path, 'E-ONE-OF', { message, expected });
}

export function buildSqlExpectation(context: BuildContext, path: Path, raw: RawSqlCondition): SqlExpectation {
  if (
    raw.rows === undefined &&
    raw.equals === undefined &&
    raw.above === undefined &&
    raw.below === undefined &&
    raw.outside === undefined
  ) {
    return { kind: 'rows', bounds: {} };
  }
  if (raw.rows !== undefined) return { kind: 'rows', bounds: buildRowBounds(context, [...path, 'rows'], raw.rows) };
  if (raw.equals !== undefined) return { kind: 'value', is: { kind: 'equals', value: raw.equals } };
  return { kind: 'value', is: buildThreshold(context, path, raw) };
}

export function buildRowBounds(context: BuildContext, path: Path, raw: RawRowBounds): RowBounds {
  if (typeof raw === 'number') return { atLeast: raw, atMost: raw };
  const { atLeast, atMost } = raw;
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    const message = `no number of rows is at least ${atLeast} and at most ${atMost}`;
    fault(context, [...path, 'atLeast'], 'E-RANGE', { message, found: String(atLeast) });
  }
  return { ...raw };
}

/** The statement, if the text is exactly one; otherwise a fault. */
export function oneStatement(
  context: BuildContext,
  path: Path,
  text: string,
  dialect: SqlDialect,
): SplitStatement | undefined {
  const [first, second] = splitStatements(text, dialect);
  if (first === undefined) {
    if (!hasVariable(text)) fault(context, path, 'E-SQL', 'there is no statement in this text');
    return undefined;
  }
  if (second === undefined) return first;
  const message = 'these are several statements; write each as its own item';
  fault(context, path, 'E-SQL', { message, found: second.verb[0] ?? '' });
  return undefined;
}

const READING = new Set(['SELECT', 'WITH', 'VALUES', 'PRAGMA', 'TABLE', 'SHOW', 'EXPLAIN']);

/** The database itself refuses to write; this only says so earlier, and in plainer words. */
export function checkReads(context: BuildContext, path: Path, text: string, dialect: SqlDialect): void {
  const statement = oneStatement(context, path, text, dialect);
  const verb = statement?.verb[0] ?? '';
  if (statement === undefined || verb === '' || READING.has(verb)) return;
  fault(context, path, 'E-SQL', {
    message: `\`query\` is not a SELECT: it begins with "${verb}"`,
    found: verb,
    expected: 'SELECT',
  });
}
