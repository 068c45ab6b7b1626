import type { SqliteDatabase, SqlQuery } from '../../../core/model/metric-source.ts';
import type { Millis } from '../../../core/units.ts';
import { type ChildProgram, type Ended, startBeside } from '../../../drivers/child-program.ts';
import { type SqliteFailure, sqliteFaultOf } from '../../../drivers/sql/sqlite-failure.ts';
import type { Clock } from '../../clock.ts';
import { type Database, type Row, SqlFault, type SqlFaultCode } from './database.ts';
import type { SqliteAnswer, SqliteRequest } from './sqlite-child.ts';
import { type Dialect, describeStatement, readRows, selectStatement } from './wrap-query.ts';

/** Whole numbers beyond 2^53 would be refused as JavaScript numbers; text is no number, whatever it looks like. */
const DIALECT: Dialect = {
  value: (column) => `CASE typeof(${column}) WHEN 'integer' THEN CAST(${column} AS REAL) ELSE ${column} END`,
  label: (column, length) => `substr(CAST(${column} AS TEXT), 1, ${length})`,
};

/**
 * Queries run in a process of their own, one for each sampling: SQLite in this process could not be interrupted, not even
 * by ending the thread that it runs in, and would share the locks of revertd's own database.
 */
export function openSqlite({ path }: SqliteDatabase, clock: Clock): Database {
  let child: ChildProgram<SqliteRequest, SqliteAnswer> | undefined;
  const end = () => {
    child?.kill();
    child = undefined;
  };
  const ask: Ask = async (request) => {
    if (child === undefined || child.hasEnded) child = startBeside(import.meta.url, 'sqlite-child');
    return await child.ask({ path, ...request });
  };
  return {
    async open(signal) {
      using _guard = endOnAbort(signal, end);
      const answer = await ask({ text: 'SELECT count(*) FROM sqlite_schema', limitMs: 1000 });
      if (answer.kind === 'rows') return;
      const why = answer.kind === 'failed' ? answer.message : 'its process ended';
      const code = answer.kind === 'failed' ? codeOf(answer) : undefined;
      throw new SqlFault(code ?? 'unreachable', `the database cannot be read: ${why}`);
    },
    async select(query, spanMs, signal) {
      using _guard = endOnAbort(signal, end);
      using _timer = clock.setTimer(spanMs, end);
      return await select(query, spanMs, ask);
    },
    rest: end,
    close: end,
  };
}

type Ask = (request: Omit<SqliteRequest, 'path'>) => Promise<SqliteAnswer | Ended>;

async function select(query: SqlQuery, spanMs: Millis, ask: Ask): Promise<Row[]> {
  const described = rowsOf(await ask({ text: describeStatement(query), limitMs: spanMs }), spanMs);
  const { text, labels } = selectStatement(query, described.columns, DIALECT);
  return readRows(rowsOf(await ask({ text, limitMs: spanMs }), spanMs).rows, labels);
}

function rowsOf(answer: SqliteAnswer | Ended, spanMs: Millis): Extract<SqliteAnswer, { readonly kind: 'rows' }> {
  switch (answer.kind) {
    case 'rows':
      return answer;
    case 'ended':
      throw new SqlFault('timeout', `the query did not end within ${spanMs} ms and was killed`);
    case 'failed': {
      const code = codeOf(answer) ?? 'bad_query';
      throw new SqlFault(code, code === 'read_only' ? `the query would write: ${answer.message}` : answer.message);
    }
  }
}

/** Undefined for what is the query's own fault. */
function codeOf(failure: SqliteFailure): SqlFaultCode | undefined {
  switch (sqliteFaultOf(failure)) {
    case 'locked':
      return 'locked';
    case 'readOnly':
      return 'read_only';
    case 'io':
    case 'cantOpen':
      return 'unreadable';
    case 'corrupt':
      return 'corrupt';
    default:
      return undefined;
  }
}

function endOnAbort(signal: AbortSignal, end: () => void): Disposable {
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', end) };
}
