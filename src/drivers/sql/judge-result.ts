import {
  describeExpectation,
  describeRows,
  type RowBounds,
  type SqlExpectation,
  type SqlValue,
} from '../../core/model/sql-step.ts';
import { isBeyond } from '../../core/model/trigger.ts';
import type { SqlResult } from './session.ts';

export type SqlVerdict = { readonly outcome: 'true' | 'false' | 'unknown'; readonly detail: string };

/**
 * Whether a query gave what was expected. A value is that of the only column of the only row: anything else, and NULL
 * where a value is compared, is unknown, for absence says nothing.
 */
export function judgeResult(expect: SqlExpectation, result: SqlResult): SqlVerdict {
  if (expect.kind === 'rows') {
    const rows = result.rows ?? 0;
    const outcome = isWithin(expect.bounds, rows) ? 'true' : 'false';
    return {
      outcome,
      detail: `gave ${rows} row${rows === 1 ? '' : 's'}${outcome === 'true' ? '' : `, expected ${describeRows(expect.bounds)}`}`,
    };
  }
  const value = result.first?.[0];
  if (value === undefined || result.rows !== 1 || result.columns.length !== 1) {
    const found = `${result.rows ?? 0} rows of ${result.columns.length} columns`;
    return { outcome: 'unknown', detail: `gave ${found}, expected one value` };
  }
  const verdict = compare(expect.is, value);
  const shown =
    typeof value === 'string' && asNumber(value) === undefined ? JSON.stringify(value.slice(0, 200)) : String(value);
  const wanted = verdict === 'true' ? '' : `, expected ${describeExpectation(expect)}`;
  return { outcome: verdict, detail: `gave ${shown}${wanted}` };
}

export function isWithin({ atLeast, atMost }: RowBounds, rows: number): boolean {
  return (atLeast === undefined || rows >= atLeast) && (atMost === undefined || rows <= atMost);
}

type ValueTest = Extract<SqlExpectation, { kind: 'value' }>['is'];

function compare(test: ValueTest, value: SqlValue): SqlVerdict['outcome'] {
  if (test.kind === 'equals') return equals(test.value, value);
  const number = asNumber(value);
  if (number === undefined) return 'unknown';
  return isBeyond(test, number) ? 'true' : 'false';
}

/** PostgreSQL gives large and exact numbers as text, SQLite has no booleans. */
function equals(wanted: SqlValue, value: SqlValue): SqlVerdict['outcome'] {
  if (wanted === null) return value === null ? 'true' : 'false';
  if (value === null) return 'unknown';
  if (typeof wanted === 'number') return asNumber(value) === wanted ? 'true' : 'false';
  if (typeof wanted === 'boolean') return value === wanted || value === Number(wanted) ? 'true' : 'false';
  return String(value) === wanted ? 'true' : 'false';
}

function asNumber(value: SqlValue): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && !Number.isNaN(number) ? number : undefined;
}
