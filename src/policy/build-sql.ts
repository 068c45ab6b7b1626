import type { SqlQuery, SqlType } from '../core/model/metric-source.ts';
import type { Millis } from '../core/units.ts';
import { type BuildContext, fault, pathAt } from './build-context.ts';
import { checkSecret } from './build-parts.ts';
import { timeoutWithin } from './build-source-parts.ts';
import type { Path } from './path.ts';
import type { RawSql } from './raw-documents.ts';

export function buildSql(context: BuildContext, path: Path, raw: RawSql, intervalMs: Millis): SqlType {
  for (const [index, query] of raw.queries.entries()) checkQuery(context, [...path, 'queries', index], query);
  return {
    kind: 'sql',
    database: buildDatabase(context, path, raw),
    queries: raw.queries.map((query) => ({ ...query })),
    labels: { ...raw.labels },
    timeoutMs: timeoutWithin(context, [...path, 'timeout'], raw.timeout, intervalMs),
  };
}

/** The schema has seen to it that there is exactly one. */
function buildDatabase(context: BuildContext, path: Path, raw: RawSql): SqlType['database'] {
  if (raw.postgres !== undefined) {
    return { kind: 'postgres', dsn: checkSecret(context, [...path, 'postgres'], raw.postgres) };
  }
  return { kind: 'sqlite', path: pathAt(context, [...path, 'sqlite', 'path'], raw.sqlite?.path ?? '', 'read') };
}

/** Comments of SQL, and blanks, before the first word. */
const BEFORE_THE_FIRST_WORD = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*/;

/** The database itself refuses to write; this only says so earlier, and in plainer words. */
function checkQuery(context: BuildContext, path: Path, { query, value, labels }: SqlQuery): void {
  const first = /^[A-Za-z]*/.exec(query.replace(BEFORE_THE_FIRST_WORD, ''))?.[0] ?? '';
  if (!['SELECT', 'WITH', 'VALUES'].includes(first.toUpperCase())) {
    const message = `\`query\` is not a SELECT: it begins with "${first}"`;
    fault(context, [...path, 'query'], 'E-SQL', { message, found: first, expected: 'SELECT' });
  }
  if (value !== undefined && labels?.includes(value) === true) {
    const message = `the column "${value}" is the value; it cannot be a label too`;
    fault(context, [...path, 'labels'], 'E-SQL', { message, found: value });
  }
}
