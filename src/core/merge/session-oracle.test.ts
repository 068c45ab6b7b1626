import { constants, DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Row } from './cell.ts';
import type { Versions } from './conflict.ts';
import { type MergedTable, mergeRow } from './merge-row.ts';
import { resolveRow } from './resolve-row.ts';

/**
 * SQLite's session extension as the oracle: what the snapshot changed since the ancestor is recorded as a changeset and
 * applied to the live table. Its rules: sqlite.org/session/sqlite3changeset_apply.html.
 */

type Edit =
  | { readonly kind: 'set'; readonly id: number; readonly column: number; readonly value: number }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'insert'; readonly id: number; readonly values: readonly number[] };

type Handled = 'DATA' | 'NOTFOUND' | 'CONFLICT';

const NAMES = ['a', 'b', 'c', 'd'];

const world = fc.integer({ min: 1, max: NAMES.length }).chain((width) => {
  const id = fc.integer({ min: 1, max: 6 });
  const value = fc.integer({ min: 0, max: 3 });
  const values = fc.array(value, { minLength: width, maxLength: width });
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), id, column: fc.integer({ min: 0, max: width - 1 }), value }),
    fc.record({ kind: fc.constant('delete' as const), id }),
    fc.record({ kind: fc.constant('insert' as const), id, values }),
  );
  const edits = fc.array(edit, { maxLength: 8 });
  return fc.record({ width: fc.constant(width), rows: fc.array(values, { maxLength: 5 }), mine: edits, theirs: edits });
});

function make(width: number, rows: readonly (readonly number[])[]): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  const columns = NAMES.slice(0, width).map((name) => `${name} INTEGER`);
  database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, ${columns.join(', ')})`);
  rows.forEach((values, index) => insert(database, index + 1, values));
  return database;
}

function insert(database: DatabaseSync, id: number, values: readonly number[]): void {
  database.exec(`INSERT OR IGNORE INTO t VALUES (${[id, ...values].join(', ')})`);
}

function edit(database: DatabaseSync, edits: readonly Edit[]): void {
  for (const one of edits) {
    if (one.kind === 'insert') insert(database, one.id, one.values);
    else if (one.kind === 'delete') database.exec(`DELETE FROM t WHERE id = ${one.id}`);
    else database.exec(`UPDATE t SET ${NAMES[one.column] ?? 'a'} = ${one.value} WHERE id = ${one.id}`);
  }
}

function rowsOf(database: DatabaseSync): Map<number, Row> {
  const statement = database.prepare('SELECT * FROM t ORDER BY id');
  return new Map(statement.all().map((row) => [Number(row['id']), Object.values(row).map(Number)]));
}

function applied(live: DatabaseSync, changes: Uint8Array, answer: (handled: Handled) => number): Handled[] {
  const handled: Handled[] = [];
  live.applyChangeset(changes, {
    onConflict: (type) => {
      const kind = nameOf(type);
      handled.push(kind);
      return answer(kind);
    },
  });
  return handled;
}

function nameOf(type: number): Handled {
  if (type === constants.SQLITE_CHANGESET_DATA) return 'DATA';
  return type === constants.SQLITE_CHANGESET_NOTFOUND ? 'NOTFOUND' : 'CONFLICT';
}

function versionsOf(ancestor: Map<number, Row>, live: Map<number, Row>, snapshot: Map<number, Row>) {
  const ids = [...new Set([...ancestor.keys(), ...live.keys(), ...snapshot.keys()])].sort((a, b) => a - b);
  return ids.map((id) => ({ id, ancestor: ancestor.get(id), live: live.get(id), snapshot: snapshot.get(id) }));
}

function merged(
  all: readonly (Versions<Row> & { readonly id: number })[],
  table: MergedTable,
  strategy: 'skip' | 'overwrite',
): Map<number, Row> {
  const rows = all.flatMap(({ id, ...versions }) => {
    const outcome = mergeRow(table, versions);
    const result = outcome.kind === 'conflict' ? resolveRow(table, outcome, versions, strategy) : outcome;
    const row = result.kind === 'put' ? result.row : result.kind === 'delete' ? undefined : versions.live;
    return row === undefined ? [] : [[id, row] as const];
  });
  return new Map(rows);
}

test('the merge of rows is what SQLite makes of the same changes, and it sees conflicts where that sees them', () => {
  fc.assert(
    fc.property(world, ({ width, rows, mine, theirs }) => {
      const flags = Array.from({ length: width + 1 }, () => true);
      const table = { inLive: flags, inSnapshot: flags, hasAncestor: true, isJson: flags.map(() => false) };
      const [ancestor, live, other, snapshot] = [1, 2, 3, 4].map(() => make(width, rows));
      if (ancestor === undefined || live === undefined || other === undefined || snapshot === undefined) return;
      edit(live, mine);
      edit(other, mine);
      const session = snapshot.createSession();
      edit(snapshot, theirs);
      const all = versionsOf(rowsOf(ancestor), rowsOf(live), rowsOf(snapshot));
      const changes = session.changeset();

      const skipped = applied(live, changes, () => constants.SQLITE_CHANGESET_OMIT);
      const overwritten = applied(other, changes, (kind) =>
        kind === 'NOTFOUND' ? constants.SQLITE_CHANGESET_OMIT : constants.SQLITE_CHANGESET_REPLACE,
      );
      expect(overwritten).toStrictEqual(skipped);

      // Where both did the same, the oracle sees a conflict too, and leaves what else the snapshot changed of that row.
      const outcomes = all.map(({ id, ...versions }) => ({ id, versions, outcome: mergeRow(table, versions) }));
      const conflicts = outcomes.filter(({ outcome }) => outcome.kind === 'conflict');
      const alike = outcomes.filter(
        ({ versions, outcome }) => outcome.kind !== 'conflict' && didTheSame(versions, width),
      );
      expect(skipped.length).toBe(conflicts.length + alike.length);
      const agreed = alike.map(({ id }) => id);
      const disputed = (found: Map<number, Row>) => [...found].filter(([id]) => !agreed.includes(id));
      expect(disputed(rowsOf(live))).toStrictEqual(disputed(merged(all, table, 'skip')));

      // What is not there any more cannot be replaced by a change of some of its cells: there we put the row.
      const gone = all.filter((one) => one.live === undefined && one.ancestor !== undefined).map(({ id }) => id);
      const there = (found: Map<number, Row>) => [...found].filter(([id]) => !gone.includes(id));
      expect(there(rowsOf(other))).toStrictEqual(there(merged(all, table, 'overwrite')));
    }),
    { numRuns: 500 },
  );
});

/** Whether a cell, or the whole row, was changed by both to the same. */
function didTheSame({ ancestor, live, snapshot }: Versions<Row>, width: number): boolean {
  if (snapshot === undefined) return ancestor !== undefined && live === undefined;
  if (live === undefined) return false;
  if (ancestor === undefined) return true;
  return Array.from({ length: width }, (_item, at) => at + 1).some(
    (at) => live[at] !== ancestor[at] && live[at] === snapshot[at],
  );
}
