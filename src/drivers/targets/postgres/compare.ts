import type { Snapshot } from '../../../core/model/point.ts';
import type { TargetOf } from '../../../core/model/target.ts';
import type { SqlHost } from '../../sql/session.ts';
import type { DiffGroup, PointContext, TargetDiff } from '../captured-target.ts';
import { compareTable } from './compare-table.ts';
import { type Connection, placeOf, withConnection } from './connection.ts';
import {
  beginState,
  chosenTables,
  contentsOf,
  isSameTable,
  shownTable,
  type TableContent,
  type TableName,
  tableNamed,
  tablesOf,
} from './contents.ts';
import { type DatabaseRecord, recordOf } from './manifest.ts';
import { withScratchDatabase } from './scratch.ts';

type Sides = { readonly from: Snapshot; readonly to: Snapshot | 'live' };
type Rows = PointContext['rows'];

/**
 * Tables whose sums are the same are the same. Only if others are left, the snapshots are put into scratch databases,
 * the server sums up blocks of the rows of those tables, and the rows of blocks that differ are read side by side. Rejects with TargetError and ContentError.
 */
export async function diffDatabases(
  target: TargetOf<'postgres'>,
  host: SqlHost,
  { from, to }: Sides,
  context: PointContext,
): Promise<TargetDiff> {
  const { store, signal, progress, rows } = context;
  const place = await placeOf(target, host);
  const before = await recordOf(store, from);
  const means = { place, host, store, signal, progress };
  const inState = async (database: string, after: readonly TableContent[] | undefined) =>
    await withConnection(place, database, signal, async (connection) => {
      await beginState(connection);
      const newer = after ?? (await liveContents(connection, target, before));
      const pairs = pairsOf(chosen(before.tables, rows), chosen(newer, rows));
      if (pairs.every(({ older, newer: other }) => older === undefined || other === undefined)) {
        return { groups: pairs.map(wholeTable) };
      }
      return await withScratchDatabase(before, means, (scratch) =>
        withConnection(place, scratch, signal, async (older) => {
          await beginState(older);
          return { groups: await groupsOf(pairs, older, connection, rows) };
        }),
      );
    });
  if (to === 'live') return await inState(place.database, undefined);
  const after = await recordOf(store, to);
  if (pairsOf(chosen(before.tables, rows), chosen(after.tables, rows)).length === 0) return { groups: [] };
  return await withScratchDatabase(after, means, (scratch) => inState(scratch, after.tables));
}

/** What is live now of what the target is about, and of what the snapshot has, though it may be gone. */
async function liveContents(
  connection: Connection,
  { type }: TargetOf<'postgres'>,
  before: DatabaseRecord,
): Promise<readonly TableContent[]> {
  const all = await tablesOf(connection);
  const wanted = before.isPart
    ? all.filter((table) => before.tables.some((one) => isSameTable(one, table)))
    : chosenTables(type, all);
  return await contentsOf(connection, wanted);
}

function chosen(tables: readonly TableContent[], rows: Rows): readonly TableContent[] {
  if (rows === undefined) return tables;
  const wanted = rows.tables.map(tableNamed);
  return tables.filter((table) => wanted.some((one) => isSameTable(one, table)));
}

type Pair = {
  readonly table: TableName;
  readonly older: TableContent | undefined;
  readonly newer: TableContent | undefined;
};

/** Without those that are the same. */
function pairsOf(before: readonly TableContent[], after: readonly TableContent[]): readonly Pair[] {
  const names = [...before, ...after.filter((table) => !before.some((one) => isSameTable(one, table)))];
  const sorted = names.toSorted((a, b) => (shownTable(a) < shownTable(b) ? -1 : 1));
  const pairs = sorted.map((table) => ({
    table: { schema: table.schema, name: table.name },
    older: before.find((one) => isSameTable(one, table)),
    newer: after.find((one) => isSameTable(one, table)),
  }));
  return pairs.filter(({ older, newer }) => older?.digest !== newer?.digest || older?.rows !== newer?.rows);
}

function wholeTable({ table, older, newer }: Pair): DiffGroup {
  const [added, removed] = [newer?.rows ?? 0, older?.rows ?? 0];
  const note = older === undefined ? 'the table is new' : 'the table is gone';
  return { name: shownTable(table), added, removed, changed: 0, items: [], isCut: added + removed > 0, note };
}

async function groupsOf(
  pairs: readonly Pair[],
  older: Connection,
  newer: Connection,
  rows: Rows,
): Promise<readonly DiffGroup[]> {
  const groups: DiffGroup[] = [];
  for (const pair of pairs) {
    if (pair.older === undefined || pair.newer === undefined) groups.push(wholeTable(pair));
    else {
      const most = Math.max(pair.older.rows, pair.newer.rows);
      const group = await compareTable(pair.table, { older, newer }, { keys: rows?.keys ?? [], rows: most });
      if (group !== undefined) groups.push(group);
    }
  }
  return groups;
}
