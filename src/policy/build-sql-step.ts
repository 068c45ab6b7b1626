import type { SqlScript, SqlStatement, SqlStep } from '../core/model/sql-step.ts';
import { bindParams } from '../core/sql/bind-params.ts';
import { controlsTransaction, refusesTransaction } from '../core/sql/split-statements.ts';
import type { Millis } from '../core/units.ts';
import { type BuildContext, durationAt, fault, faultAtKey, pathAt, SHORTEST_TIMEOUT } from './build-context.ts';
import { buildRepetition } from './build-repetition.ts';
import {
  buildRowBounds,
  buildSqlDatabase,
  buildSqlExpectation,
  checkReads,
  exactlyOne,
  oneStatement,
} from './build-sql-parts.ts';
import type { Path } from './path.ts';
import type { RawRowGuard, RawSqlStep } from './raw-documents.ts';

/** A rollback does not queue up behind a lock for long; what runs without a transaction has to wait for others. */
const DEFAULT_LOCK_TIMEOUT_MS: Millis = 10_000;

export function buildSqlStep(context: BuildContext, path: Path, raw: RawSqlStep): SqlStep {
  const database = buildSqlDatabase(context, path, raw, 'write');
  const transaction = raw.transaction ?? true;
  const lockTimeoutMs = lockTimeout(context, path, raw, transaction);
  exactlyOne(context, path, raw, ['statements', 'file']);
  checkParams(context, path, raw);
  return {
    kind: 'sql',
    database,
    script: buildScript(context, path, raw, transaction),
    params: { ...raw.params },
    transaction,
    require: (raw.require ?? []).map((condition, index) => {
      const at = [...path, 'require', index];
      checkReads(context, [...at, 'query'], condition.query, database.kind);
      return { query: condition.query, expect: buildSqlExpectation(context, at, condition) };
    }),
    ...(lockTimeoutMs === undefined ? {} : { lockTimeoutMs }),
    ...buildRepetition(context, path, raw),
  };
}

function lockTimeout(context: BuildContext, path: Path, raw: RawSqlStep, transaction: boolean): Millis | undefined {
  if (raw.lockTimeout === undefined) return transaction ? DEFAULT_LOCK_TIMEOUT_MS : undefined;
  return durationAt(context, [...path, 'lockTimeout'], raw.lockTimeout, DEFAULT_LOCK_TIMEOUT_MS, SHORTEST_TIMEOUT);
}

function buildScript(context: BuildContext, path: Path, raw: RawSqlStep, transaction: boolean): SqlScript {
  if (raw.file !== undefined) return { kind: 'file', path: pathAt(context, [...path, 'file'], raw.file, 'read') };
  const dialect = raw.postgres === undefined ? 'sqlite' : 'postgres';
  const statements = (raw.statements ?? []).map((statement, index): SqlStatement => {
    const at = [...path, 'statements', index];
    const isText = typeof statement === 'string';
    const text = isText ? statement : statement.text;
    checkStatement(context, isText ? at : [...at, 'text'], text, dialect, transaction);
    return {
      text,
      ...(isText || statement.rows === undefined ? {} : buildRowGuard(context, [...at, 'rows'], statement.rows)),
    };
  });
  return { kind: 'statements', statements };
}

function buildRowGuard(
  context: BuildContext,
  path: Path,
  raw: RawRowGuard,
): Pick<SqlStatement, 'rows' | 'atMostCounted'> {
  if (typeof raw === 'number') return { rows: buildRowBounds(context, path, raw) };
  const { atLeast, atMost } = raw;
  const least = atLeast === undefined ? {} : { atLeast };
  if (atMost === undefined || typeof atMost === 'number') {
    return { rows: buildRowBounds(context, path, atMost === undefined ? least : { ...least, atMost }) };
  }
  if (!path.includes('ladder')) {
    const message = 'only a rung with `dataLoss` has a count that people agree to';
    fault(context, [...path, 'atMost'], 'E-COUNTED', message);
  }
  const atMostCounted = atMost === 'counted' ? true : atMost.counted;
  return atLeast === undefined ? { atMostCounted } : { rows: { atLeast }, atMostCounted };
}

function checkStatement(
  context: BuildContext,
  path: Path,
  text: string,
  dialect: 'postgres' | 'sqlite',
  transaction: boolean,
): void {
  const statement = oneStatement(context, path, text, dialect);
  if (statement === undefined) return;
  const words = statement.verb.slice(0, 3).join(' ');
  if (controlsTransaction(statement)) {
    const message = `${statement.verb[0]} is not for a policy to write: the step opens and commits the transaction itself`;
    fault(context, path, 'E-SQL', { message, found: statement.verb[0] ?? '' });
  } else if (transaction && refusesTransaction(statement, dialect)) {
    const message = `${words} cannot run in a transaction; write \`transaction: false\` beside the statements`;
    fault(context, path, 'E-SQL', { message, found: words, suggestion: 'transaction: false' });
  }
}

/** A misspelt parameter would stay in the text, and the database would find the fault in the middle of a rollback. */
function checkParams(context: BuildContext, path: Path, raw: RawSqlStep): void {
  if (raw.file !== undefined) return;
  const names = Object.keys(raw.params ?? {});
  const dialect = raw.postgres === undefined ? 'sqlite' : 'postgres';
  const texts = (raw.statements ?? []).map((statement) => (typeof statement === 'string' ? statement : statement.text));
  const all = [...texts, ...(raw.require ?? []).map(({ query }) => query)];
  const used = new Set(all.flatMap((text) => bindParams(text, names, dialect).names));
  for (const name of names) {
    if (used.has(name)) continue;
    const message = `no statement uses the parameter ${name}; write :${name} where its value belongs`;
    faultAtKey(context, [...path, 'params', name], 'E-PARAM', { message, found: name });
  }
}
