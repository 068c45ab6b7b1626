import type { Cell, Row } from '../../../core/merge/cell.ts';
import { type ConflictItem, MergeLog, type MergeReport, type MergeSpec } from '../../../core/merge/merge-report.ts';
import { mergeRow, type RowConflict, type RowResult } from '../../../core/merge/merge-row.ts';
import { decideRow, resolveRow } from '../../../core/merge/resolve-row.ts';
import type { JsonValue } from '../../../core/model/step.ts';
import { bareConflict, conflictItem, LONGEST_SHOWN, shortened } from '../conflict-item.ts';
import { TargetError } from '../target-driver.ts';
import { type AlignedTable, alignTable } from './align-table.ts';
import {
  type ChosenTables,
  changeOf,
  count,
  type KeyedVersions,
  type RowCounts,
  type RowsSource,
  retried,
  sideBySide,
} from './change-rows.ts';
import { shownKey } from './row-key.ts';
import type { Orphan, RowsAccess, RowsTransaction, StagedRow, TableShape } from './rows-session.ts';
import { type KeptTable, rowLine } from './rows-snapshot.ts';

/** What depends on what is left is left too, and what depends on that; a deeper chain is refused. */
const MOST_ROUNDS = 50;

export type MergedRows = { readonly report: MergeReport; readonly counts: RowCounts };

export type RowsMerge = ChosenTables & {
  /** The tables as they were before anything went wrong. */
  readonly ancestors: readonly KeptTable[];
  readonly spec: MergeSpec;
};

type Counts = { inserted: number; replaced: number; deleted: number };

/** Merges what the snapshot has otherwise than the ancestor into the live rows, in one transaction. Rejects with TargetError and ContentError. */
export async function mergeRows(access: RowsAccess, merge: RowsMerge, source: RowsSource): Promise<MergedRows> {
  const names = merge.tables.map(({ name }) => name);
  return await retried(source.signal, () =>
    access.withTransaction(names, source.signal, async (transaction) => {
      const log = new MergeLog(merge.spec, source.onPhase);
      const counts: Counts = { inserted: 0, replaced: 0, deleted: 0 };
      const staged = new Map<string, TableShape>();
      for (const [index, live] of (await transaction.shapes(names)).entries()) {
        const kept = merge.tables[index];
        if (kept === undefined) continue;
        if (await mergeTable({ transaction, live, kept, merge, source, log, counts })) staged.set(live.name, live);
      }
      const hindrance = log.hindrance;
      if (hindrance !== undefined) return { report: hindrance, counts: NOTHING };
      if (staged.size === 0) return { report: log.done, counts };
      source.onPhase?.('executing');
      const refused = await settle(transaction, staged, log);
      if (refused !== undefined) return { report: refused, counts: NOTHING };
      await transaction.commit();
      return { report: log.done, counts };
    }),
  );
}

const NOTHING: RowCounts = { inserted: 0, replaced: 0, deleted: 0 };

type TableMerge = {
  readonly transaction: RowsTransaction;
  readonly live: TableShape;
  readonly kept: KeptTable;
  readonly merge: RowsMerge;
  readonly source: RowsSource;
  readonly log: MergeLog;
  readonly counts: Counts;
};

/** Whether there is anything to be done. */
async function mergeTable({ transaction, live, kept, merge, source, log, counts }: TableMerge): Promise<boolean> {
  const ancestor = merge.ancestors.find(({ name }) => name === kept.name);
  const aligned = alignTable(live, kept, ancestor);
  const sides = { kept, rows: merge.rows, store: source.store, ...(ancestor === undefined ? {} : { ancestor }) };
  let isStaged = false;
  for await (const batch of sideBySide(transaction, aligned, sides)) {
    const changes = batch.flatMap((one) =>
      changeOf(aligned, one.texts, one.versions.live, resultOf(aligned, one, log)),
    );
    count(changes, counts);
    isStaged ||= changes.length > 0;
    await transaction.stage(live, changes);
  }
  return isStaged;
}

function resultOf(aligned: AlignedTable, one: KeyedVersions, log: MergeLog): RowResult {
  const outcome = mergeRow(aligned.merged, one.versions);
  if (outcome.kind !== 'conflict') return outcome;
  const decided = log.note(itemOf(aligned, one, outcome));
  if (decided !== undefined) return decideRow(aligned.merged, outcome, one.versions, decided);
  const resolution = resolveRow(aligned.merged, outcome, one.versions, log.strategy);
  if (resolution.kind === 'keep' || resolution.kind === 'put' || resolution.kind === 'delete') return resolution;
  log.hold(resolution.kind);
  return { kind: 'keep' };
}

/**
 * Applies what is staged, without what would refer to nothing; what depends on that is left too, until all that is left fits.
 * Undefined once it fits.
 */
async function settle(
  transaction: RowsTransaction,
  staged: ReadonlyMap<string, TableShape>,
  log: MergeLog,
): Promise<MergeReport | undefined> {
  const left = new Set<string>();
  let without: readonly StagedRow[] = [];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const orphans = await applied(transaction, without, log);
    if (orphans === undefined) return log.hindrance;
    if (orphans.length === 0) return undefined;
    without = orphans.flatMap((orphan) => rowsBehind(orphan, staged)).filter((row) => !left.has(identityOf(row)));
    for (const row of without) left.add(identityOf(row));
    for (const orphan of orphans) noteOrphan(orphan, log);
    if (log.hindrance !== undefined) return log.hindrance;
    if (without.length === 0) break;
  }
  log.hold('aborted');
  return log.hindrance;
}

/** Undefined where a constraint of the database speaks against it, which is a conflict that no strategy resolves. */
async function applied(
  transaction: RowsTransaction,
  without: readonly StagedRow[],
  log: MergeLog,
): Promise<readonly Orphan[] | undefined> {
  try {
    return await transaction.apply(without);
  } catch (error) {
    if (!(error instanceof TargetError) || error.code !== 'constraint') throw error;
    log.note(bareConflict(error.message, 'constraint'));
    log.hold('aborted');
    return undefined;
  }
}

function noteOrphan({ table, key, parent }: Orphan, log: MergeLog): void {
  const side = log.settle(bareConflict(`${table} ${key ?? ''} refers to ${parent}`, 'dependency'));
  if (side === 'live') log.hold('left');
  // Nobody can decide that it is there all the same.
  else if (side === 'snapshot') log.hold('asked');
}

/** What was to be done with the row that refers to nothing, and with the one that it refers to. */
function rowsBehind(
  { table, key, parent, parentKey }: Orphan,
  staged: ReadonlyMap<string, TableShape>,
): readonly StagedRow[] {
  return [
    ...(key !== undefined && staged.has(table) ? [{ table, key }] : []),
    ...(parentKey !== undefined && staged.has(parent) ? [{ table: parent, key: parentKey }] : []),
  ];
}

function identityOf({ table, key }: StagedRow): string {
  return `${table} ${key}`;
}

function itemOf(aligned: AlignedTable, { texts, versions }: KeyedVersions, conflict: RowConflict): ConflictItem {
  const { live, names } = aligned;
  // Of a row that one side removed all cells are shown, else those in conflict.
  const meant = conflict.cells.length === 0 ? names.keys() : conflict.cells.map(({ column }) => column);
  const columns = [...meant].map((index) => ({ index, name: names[index] ?? '' }));
  const shown = (row: Row): JsonValue =>
    Object.fromEntries(columns.map(({ index, name }) => [name, shownValue(row[index])]));
  return conflictItem(`${live.name} ${shownKey(live, texts)}`, conflict.class, versions, { text: rowLine, shown });
}

function shownValue(cell: Cell | undefined): JsonValue {
  if (cell === undefined) return null;
  if (cell === null || typeof cell === 'boolean') return cell;
  if (typeof cell === 'bigint') return Number.isSafeInteger(Number(cell)) ? Number(cell) : String(cell);
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell : String(cell);
  const text = typeof cell === 'string' ? cell : `x'${Buffer.from(cell.subarray(0, LONGEST_SHOWN)).toString('hex')}'`;
  return shortened(text);
}
