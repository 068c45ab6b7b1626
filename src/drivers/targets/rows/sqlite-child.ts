import type { DatabaseSync } from 'node:sqlite';
import type { Cell, Row } from '../../../core/merge/cell.ts';
import { type SqliteFailure, sqliteFailure } from '../../sql/sqlite-failure.ts';
import { type FileIdentity, openExpected } from '../sqlite/open-expected.ts';
import { BATCH_ROWS, type Orphan, type RowChange, type StagedRow, type TableShape } from './rows-session.ts';
import { applyStaged, SAVED, stageRows, unstage } from './sqlite-apply.ts';
import { selectRows, shapesOf } from './sqlite-tables.ts';

/**
 * The program of the process in which the rows of a database are read and changed. It ends with revertd: what was not
 * committed is then undone by whoever opens the file next.
 */
export type RowsQuestion =
  | { readonly ask: 'open'; readonly file: FileIdentity; readonly access: 'read' | 'write'; readonly lockMs: number }
  | { readonly ask: 'shapes'; readonly tables: readonly string[] }
  | { readonly ask: 'read'; readonly table: TableShape }
  | { readonly ask: 'more' | 'commit' }
  | { readonly ask: 'stage'; readonly table: TableShape; readonly changes: readonly RowChange[] }
  | { readonly ask: 'apply'; readonly without: readonly StagedRow[] };

export type RowsReply =
  | { readonly kind: 'done' }
  | { readonly kind: 'shapes'; readonly tables: readonly TableShape[] }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'applied'; readonly orphans: readonly Orphan[] }
  | { readonly kind: 'refused'; readonly code: 'missing' | 'format'; readonly message: string }
  | SqliteFailure;

/** Cells that are read at a time stay below so many bytes, but for the first row. */
const BATCH_BYTES = 4 * 1024 * 1024;
const DONE = { kind: 'done' } as const;

type Child = {
  readonly database: DatabaseSync;
  cursor: Iterator<unknown> | undefined;
  readonly staged: Map<string, TableShape>;
  isApplied: boolean;
};

if (process.send !== undefined) {
  let child: Child | undefined;
  process.on('message', (message) => {
    process.send?.(attempt(message as RowsQuestion, child, (opened) => (child = opened)));
  });
  process.on('disconnect', () => {
    // The last one to close a database takes in its -wal; what was not committed is undone.
    child?.database.close();
    process.exit();
  });
}

function attempt(question: RowsQuestion, child: Child | undefined, keep: (child: Child) => void): RowsReply {
  try {
    if (question.ask === 'open') {
      keep({ database: open(question), cursor: undefined, staged: new Map(), isApplied: false });
      return DONE;
    }
    if (child === undefined) return { kind: 'failed', message: 'the database is not open', errcode: 0 };
    return answer(child, question);
  } catch (error) {
    if (error instanceof Error && 'refused' in error) {
      return { kind: 'refused', code: refusalOf(error.refused), message: error.message };
    }
    return sqliteFailure(error);
  }
}

function refusalOf(code: unknown): 'missing' | 'format' {
  return code === 'missing' ? 'missing' : 'format';
}

function open({ file, access, lockMs }: Extract<RowsQuestion, { ask: 'open' }>): DatabaseSync {
  const database = openExpected(file, access === 'read' ? 'ro' : 'rw', lockMs);
  // What a deletion would take along by its foreign keys is none of what is put back; they are checked before the commit.
  database.exec('PRAGMA foreign_keys = OFF');
  database.exec(access === 'read' ? 'BEGIN' : 'BEGIN IMMEDIATE');
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  return database;
}

function answer(child: Child, question: Exclude<RowsQuestion, { ask: 'open' }>): RowsReply {
  const { database, staged } = child;
  switch (question.ask) {
    case 'shapes':
      return { kind: 'shapes', tables: shapesOf(database, question.tables) };
    case 'read': {
      child.cursor?.return?.();
      child.cursor = selectRows(database, question.table);
      return { kind: 'rows', rows: nextRows(child.cursor) };
    }
    case 'more':
      return { kind: 'rows', rows: child.cursor === undefined ? [] : nextRows(child.cursor) };
    case 'stage':
      if (!staged.has(question.table.name)) staged.set(question.table.name, question.table);
      stageRows(database, question.table, question.changes);
      return DONE;
    case 'apply': {
      child.cursor?.return?.();
      child.cursor = undefined;
      database.exec(child.isApplied ? `ROLLBACK TO ${SAVED}` : `SAVEPOINT ${SAVED}`);
      child.isApplied = true;
      unstage(database, question.without);
      return { kind: 'applied', orphans: applyStaged(database, [...staged.values()]) };
    }
    case 'commit':
      database.exec('COMMIT');
      return DONE;
  }
}

/** Empty at the end. */
function nextRows(cursor: Iterator<unknown>): readonly Row[] {
  const rows: Row[] = [];
  for (let bytes = 0; rows.length < BATCH_ROWS && bytes < BATCH_BYTES; ) {
    const { done, value } = cursor.next();
    if (done === true || !Array.isArray(value)) break;
    const row = value as Cell[];
    for (const cell of row) bytes += typeof cell === 'string' || cell instanceof Uint8Array ? cell.length : 8;
    rows.push(row);
  }
  return rows;
}
