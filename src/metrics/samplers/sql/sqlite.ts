import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { SqliteDatabase, SqlQuery } from '../../../core/model/metric-source.ts';
import type { Millis } from '../../../core/units.ts';
import type { Clock } from '../../clock.ts';
import { type Database, type Row, SqlFault, type SqlFaultCode } from './database.ts';
import type { SqliteAnswer, SqliteRequest } from './sqlite-child.ts';
import { type Dialect, describeStatement, readRows, selectStatement } from './wrap-query.ts';

/** Whole numbers beyond 2^53 would be refused as JavaScript numbers; text is no number, whatever it looks like. */
const DIALECT: Dialect = {
  value: (column) => `CASE typeof(${column}) WHEN 'integer' THEN CAST(${column} AS REAL) ELSE ${column} END`,
  label: (column, length) => `substr(CAST(${column} AS TEXT), 1, ${length})`,
};

const CHILD = new URL(import.meta.url.endsWith('.ts') ? './sqlite-child.ts' : './sqlite-child.js', import.meta.url);

/**
 * Queries run in a process of their own, one for each sampling: SQLite in this process could not be interrupted, not even
 * by ending the thread that it runs in, and would share the locks of revertd's own database.
 */
export function openSqlite({ path }: SqliteDatabase, clock: Clock): Database {
  let child: ChildProcess | undefined;
  const end = () => {
    child?.kill('SIGKILL');
    child = undefined;
  };
  const running = (): ChildProcess => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) child = start();
    return child;
  };
  const ask = async (request: Omit<SqliteRequest, 'path'>): Promise<SqliteAnswer> => {
    return await converse(running(), { path, ...request });
  };
  return {
    async open(signal) {
      using _guard = endOnAbort(signal, end);
      const answer = await ask({ text: 'SELECT count(*) FROM sqlite_schema', limitMs: 1000 });
      if (answer.kind === 'rows') return;
      const why = answer.kind === 'failed' ? answer.message : 'its process ended';
      const code = answer.kind === 'failed' ? codeOf(answer.errcode) : undefined;
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

type Ask = (request: Omit<SqliteRequest, 'path'>) => Promise<SqliteAnswer>;

async function select(query: SqlQuery, spanMs: Millis, ask: Ask): Promise<Row[]> {
  const described = rowsOf(await ask({ text: describeStatement(query), limitMs: spanMs }), spanMs);
  const { text, labels } = selectStatement(query, described.columns, DIALECT);
  return readRows(rowsOf(await ask({ text, limitMs: spanMs }), spanMs).rows, labels);
}

function rowsOf(answer: SqliteAnswer, spanMs: Millis): Extract<SqliteAnswer, { readonly kind: 'rows' }> {
  switch (answer.kind) {
    case 'rows':
      return answer;
    case 'ended':
      throw new SqlFault('timeout', `the query did not end within ${spanMs} ms and was killed`);
    case 'failed': {
      const code = codeOf(answer.errcode) ?? 'bad_query';
      throw new SqlFault(code, code === 'read_only' ? `the query would write: ${answer.message}` : answer.message);
    }
  }
}

/** SQLite's primary result codes (sqlite.org/rescode.html); undefined for what is the query's own fault. */
function codeOf(errcode: number): SqlFaultCode | undefined {
  switch (errcode & 0xff) {
    case 5:
    case 6:
      return 'locked';
    case 8:
      return 'read_only';
    case 10:
    case 14:
    case 15:
      return 'unreadable';
    case 11:
    case 26:
      return 'corrupt';
    default:
      return undefined;
  }
}

function start(): ChildProcess {
  const child = fork(CHILD, [], {
    env: { LANG: 'C.UTF-8' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Whatever goes wrong with it shows as its end.
  child.on('error', () => child.kill('SIGKILL'));
  return child;
}

/** One request at a time. */
async function converse(child: ChildProcess, request: SqliteRequest): Promise<SqliteAnswer> {
  const over = new AbortController();
  try {
    child.send(request, () => {});
    const answered = once(child, 'message', { signal: over.signal }).then(([answer]) => answer as SqliteAnswer);
    const ended = once(child, 'exit', { signal: over.signal }).then(() => ({ kind: 'ended' }) as const);
    const first = Promise.race([answered, ended]);
    void Promise.allSettled([answered, ended]);
    return await first;
  } finally {
    over.abort();
  }
}

function endOnAbort(signal: AbortSignal, end: () => void): Disposable {
  if (signal.aborted) end();
  signal.addEventListener('abort', end, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', end) };
}
