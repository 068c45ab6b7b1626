import { backup, DatabaseSync } from 'node:sqlite';
import type { Recovered } from '../../../core/model/point.ts';
import type { RowSelection } from '../../../core/model/target.ts';
import { type SqliteFailure, sqliteFailure } from '../../sql/sqlite-failure.ts';
import { sqliteUrl } from '../../sql/sqlite-url.ts';
import { compareDatabases, type TableDiff } from './compare-databases.ts';
import { type FileIdentity, openExpected } from './open-expected.ts';
import { recoverDatabase } from './recover/recover-database.ts';
import { replaceRows } from './replace-rows.ts';

/**
 * The program of the process in which database files are opened: SQLite in revertd's own process could not be
 * interrupted, and would share the locks of revertd's own database. It answers one question and ends; when revertd is
 * gone, so is it.
 */
export type DatabaseQuestion =
  /** Copies all that is committed into a file that is not there yet. */
  | { readonly ask: 'copy'; readonly from: FileIdentity; readonly to: string; readonly lockMs: number }
  /** Has the file hold all that is committed, so that there is no `-wal` and no `-journal` beside it. */
  | { readonly ask: 'settle'; readonly file: FileIdentity; readonly lockMs: number }
  | { readonly ask: 'check'; readonly path: string }
  | { readonly ask: 'compare'; readonly before: string; readonly after: string; readonly rows?: RowSelection }
  /** Makes a new database of what can be read of a damaged one that nobody else has. */
  | { readonly ask: 'recover'; readonly damaged: string; readonly to: string }
  /** Makes these rows of the database those of another file. */
  | {
      readonly ask: 'replaceRows';
      readonly file: FileIdentity;
      readonly from: string;
      readonly rows: RowSelection;
      readonly lockMs: number;
    };

export type DatabaseReply =
  | { readonly kind: 'intact'; readonly foreignKeyFaults: number }
  | { readonly kind: 'damaged'; readonly findings: readonly string[] }
  | { readonly kind: 'copied' | 'settled' }
  | { readonly kind: 'recovered'; readonly found: Recovered }
  | { readonly kind: 'replaced'; readonly rows: number }
  | { readonly kind: 'compared'; readonly tables: readonly TableDiff[] }
  | SqliteFailure;

const ALL_PAGES = 2_147_483_647;
const MOST_FINDINGS = 10;

if (process.send !== undefined) {
  process.on('message', (message) => {
    void answer(message as DatabaseQuestion).then((reply) => process.send?.(reply));
  });
  process.on('disconnect', () => process.exit());
}

async function answer(question: DatabaseQuestion): Promise<DatabaseReply> {
  try {
    switch (question.ask) {
      case 'copy':
        await copy(question.from, question.to, question.lockMs);
        return { kind: 'copied' };
      case 'settle':
        settle(question.file, question.lockMs);
        return { kind: 'settled' };
      case 'check':
        return check(question.path);
      case 'compare':
        return { kind: 'compared', tables: compareDatabases(question.before, question.after, question.rows) };
      case 'recover':
        return { kind: 'recovered', found: recoverDatabase(question.damaged, question.to) };
      case 'replaceRows':
        return { kind: 'replaced', rows: replace(question) };
    }
  } catch (error) {
    return sqliteFailure(error);
  }
}

async function copy(from: FileIdentity, to: string, lockMs: number): Promise<void> {
  const source = openExpected(from, 'ro', lockMs);
  try {
    // From here on this connection sees one state, and the copy does not have to wait for anybody.
    source.exec('BEGIN');
    // It needs no schema, which may be damaged where the pages can still be read.
    source.prepare('PRAGMA schema_version').get();
    await backup(source, to, { rate: ALL_PAGES });
  } finally {
    source.close();
  }
}

function replace({ file, from, rows, lockMs }: Extract<DatabaseQuestion, { ask: 'replaceRows' }>): number {
  const database = openExpected(file, 'rw', lockMs);
  try {
    return replaceRows(database, from, rows);
  } finally {
    database.close();
  }
}

function settle(file: FileIdentity, lockMs: number): void {
  const database = openExpected(file, 'rw', lockMs);
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    // The last one to close a database removes its -wal: sqlite.org/wal.html.
    database.close();
  }
}

function check(path: string): DatabaseReply {
  // Nobody else has the copy: no locks, no files beside it.
  const database = new DatabaseSync(sqliteUrl(path, { mode: 'ro', immutable: '1' }), { readOnly: true });
  try {
    const findings = database.prepare(`PRAGMA quick_check(${MOST_FINDINGS})`).all().map(firstText);
    if (findings.length !== 1 || findings[0] !== 'ok') return { kind: 'damaged', findings };
    let foreignKeyFaults = 0;
    for (const _row of database.prepare('PRAGMA foreign_key_check').iterate())
      foreignKeyFaults += Number(_row !== null);
    return { kind: 'intact', foreignKeyFaults };
  } finally {
    database.close();
  }
}

function firstText(row: Record<string, unknown>): string {
  return String(Object.values(row)[0]);
}
