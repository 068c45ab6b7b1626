import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { giveWay } from './give-way.ts';
import { type SqliteFailure, sqliteFailure } from './sqlite-failure.ts';
import { sqliteUrl } from './sqlite-url.ts';

/**
 * The program of the process that a database file is opened in. It knows nothing but what it is asked. When revertd is
 * gone, so is it: what was not committed is then undone by whoever opens the file next.
 */
export type SqliteQuestion =
  | { readonly ask: 'open'; readonly path: string; readonly access: 'read' | 'write'; readonly lockMs: number }
  | { readonly ask: 'run'; readonly text: string; readonly counts: boolean; readonly params: SqliteParams }
  | { readonly ask: 'begin' | 'commit' };

export type SqliteParams = Readonly<Record<string, SqliteCell>>;
export type SqliteCell = null | number | string;

export type SqliteReply =
  | {
      readonly kind: 'done';
      readonly rows: number | null;
      readonly columns: readonly string[];
      readonly first: readonly SqliteCell[] | undefined;
    }
  | SqliteFailure;

const LONGEST_CELL = 4096;
const NOTHING = { kind: 'done', rows: null, columns: [], first: undefined } as const;

if (process.send !== undefined) {
  let database: DatabaseSync | undefined;
  process.on('message', (message) => {
    process.send?.(attempt(message as SqliteQuestion, database, (opened) => (database = opened)));
  });
  process.on('disconnect', () => process.exit());
}

function attempt(
  question: SqliteQuestion,
  database: DatabaseSync | undefined,
  keep: (database: DatabaseSync) => void,
): SqliteReply {
  try {
    if (question.ask === 'open') return open(question, keep);
    if (database === undefined) return { kind: 'failed', message: 'the database is not open', errcode: 0 };
    if (question.ask === 'run') return run(database, question);
    database.exec(question.ask === 'begin' ? 'BEGIN IMMEDIATE' : 'COMMIT');
    return NOTHING;
  } catch (error) {
    return sqliteFailure(error);
  }
}

function open(question: Extract<SqliteQuestion, { ask: 'open' }>, keep: (database: DatabaseSync) => void): SqliteReply {
  const { path, access, lockMs } = question;
  if (access === 'read') giveWay();
  const url = sqliteUrl(path, { mode: access === 'read' ? 'ro' : 'rw' });
  const database = new DatabaseSync(url, { readOnly: access === 'read', timeout: lockMs });
  keep(database);
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  return NOTHING;
}

function run(database: DatabaseSync, question: Extract<SqliteQuestion, { ask: 'run' }>): SqliteReply {
  const statement = database.prepare(question.text);
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const params: Record<string, SQLInputValue> = { ...question.params };
  const columns = statement.columns().map(({ name }) => name);
  if (columns.length === 0) {
    const { changes } = statement.run(params);
    return { ...NOTHING, rows: question.counts ? Number(changes) : null };
  }
  let rows = 0;
  let first: readonly SqliteCell[] | undefined;
  for (const row of statement.iterate(params)) {
    rows += 1;
    first ??= Object.values(row).map(toCell);
  }
  return { kind: 'done', rows, columns, first };
}

function toCell(value: unknown): SqliteCell {
  if (value === null || typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'string') return value.slice(0, LONGEST_CELL);
  return value instanceof Uint8Array ? Buffer.from(value.subarray(0, LONGEST_CELL / 2)).toString('hex') : null;
}
