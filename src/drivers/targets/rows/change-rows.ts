import { setTimeout as delay } from 'node:timers/promises';
import { isSameCell, type Row } from '../../../core/merge/cell.ts';
import type { Versions } from '../../../core/merge/conflict.ts';
import { joinSorted } from '../../../core/merge/join-sorted.ts';
import type { RowResult } from '../../../core/merge/merge-row.ts';
import type { RowSelection } from '../../../core/model/target.ts';
import type { Millis } from '../../../core/units.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { keyValues } from '../row-keys.ts';
import { type RestoreContext, TargetError } from '../target-driver.ts';
import { type AlignedTable, alignTable, refuseOtherColumns } from './align-table.ts';
import { compareKeys, keyText, keyTexts } from './row-key.ts';
import type { Orphan, RowChange, RowsAccess, RowsState, TableShape } from './rows-session.ts';
import { type KeptTable, readKept } from './rows-snapshot.ts';

/** Rows of a table as they stand side by side, and what they are called. */
export type KeyedVersions = { readonly texts: readonly string[]; readonly versions: Versions<Row> };

/** A transaction that the database wants tried again is, after so long each. */
const RETRIES_MS: readonly Millis[] = [50, 200, 500, 1_000, 2_000];

export type RowCounts = { readonly inserted: number; readonly replaced: number; readonly deleted: number };

export type RowsSource = Pick<RestoreContext, 'signal' | 'onPhase'> & { readonly store: ContentStore };

/** Tables of a snapshot that are meant, and of which rows. */
export type ChosenTables = { readonly tables: readonly KeptTable[]; readonly rows: RowSelection | undefined };

/** Makes the rows those of the snapshot, in one transaction. Rejects with TargetError and ContentError; then nothing was changed. */
export async function replaceRows(access: RowsAccess, chosen: ChosenTables, source: RowsSource): Promise<RowCounts> {
  return await retried(source.signal, () =>
    access.withTransaction(namesOf(chosen), source.signal, async (transaction) => {
      const counts = { inserted: 0, replaced: 0, deleted: 0 };
      const shapes = await transaction.shapes(namesOf(chosen));
      for (const [index, kept] of chosen.tables.entries()) {
        const live = shapes[index];
        if (live === undefined) continue;
        refuseOtherColumns(live, kept);
        const aligned = alignTable(live, kept, undefined);
        for await (const batch of sideBySide(transaction, aligned, { kept, rows: chosen.rows, store: source.store })) {
          const changes = batch.flatMap(({ texts, versions }) =>
            changeOf(aligned, texts, versions.live, replaced(versions)),
          );
          count(changes, counts);
          await transaction.stage(live, changes);
        }
      }
      if (counts.inserted + counts.replaced + counts.deleted === 0) return counts;
      const [orphan] = await transaction.apply([]);
      if (orphan !== undefined) throw new TargetError('constraint', orphanText(orphan));
      await transaction.commit();
      return counts;
    }),
  );
}

function namesOf({ tables }: ChosenTables): readonly string[] {
  return tables.map(({ name }) => name);
}

export async function retried<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (const pauseMs of RETRIES_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof TargetError) || error.code !== 'conflicting' || signal.aborted) throw error;
    }
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  }
  return await attempt();
}

export type KeptSides = {
  readonly kept: KeptTable;
  readonly ancestor?: KeptTable;
  readonly rows: RowSelection | undefined;
  readonly store: ContentStore;
};

/** What stands under each key, in the order of the keys. */
export async function* sideBySide(
  state: Pick<RowsState, 'read'>,
  aligned: AlignedTable,
  { kept, ancestor, rows, store }: KeptSides,
): AsyncGenerator<readonly KeyedVersions[]> {
  const { live } = aligned;
  const isMeant = meant(live, rows);
  const keyed = async function* (shape: TableShape, batches: AsyncIterable<readonly Row[]>) {
    for await (const batch of batches) yield batch.map((row) => ({ texts: keyTexts(shape, row), row }));
  };
  const sides = {
    live: keyed(live, state.read(live)),
    snapshot: keyed(kept, readKept(store, kept)),
    ...(ancestor === undefined ? {} : { ancestor: keyed(ancestor, readKept(store, ancestor)) }),
  };
  try {
    for await (const batch of joinSorted(sides, (a, b) => compareKeys(a.texts, b.texts))) {
      yield batch.flatMap(({ ancestor: before, live: mine, snapshot }) => {
        const texts = (mine ?? snapshot ?? before)?.texts ?? [];
        if (!isMeant(texts)) return [];
        const versions = {
          ancestor: before === undefined ? undefined : aligned.align.ancestor(before.row),
          live: mine?.row,
          snapshot: snapshot === undefined ? undefined : aligned.align.snapshot(snapshot.row),
        };
        return [{ texts, versions }];
      });
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TargetError(
      'format',
      `${live.name}: ${error.message}; is its text in another encoding than UTF-8?`,
      error,
    );
  }
}

/** Rows by their keys, where some are named. @throws {TargetError} `snapshot` for a key that makes no sense */
function meant(table: TableShape, rows: RowSelection | undefined): (texts: readonly string[]) => boolean {
  if (rows === undefined || rows.keys.length === 0) return () => true;
  const wanted = new Set(keyValues(table.name, table.key, rows.keys).map(keyText));
  return (texts) => wanted.has(keyText(texts));
}

/** Type and all, unlike a merge. */
function replaced({ live, snapshot }: Versions<Row>): RowResult {
  if (snapshot === undefined) return live === undefined ? { kind: 'keep' } : { kind: 'delete' };
  if (live !== undefined && snapshot.every((cell, index) => isSameCell(cell, live[index]))) return { kind: 'keep' };
  return { kind: 'put', row: snapshot };
}

/** What has to be done for it to be so. */
export function changeOf(
  { liveRow }: AlignedTable,
  texts: readonly string[],
  live: Row | undefined,
  result: RowResult,
): RowChange[] {
  const key = keyText(texts);
  switch (result.kind) {
    case 'keep':
      return [];
    case 'delete':
      return live === undefined ? [] : [{ kind: 'delete', key, row: live }];
    case 'put':
      return [{ kind: live === undefined ? 'insert' : 'replace', key, row: liveRow(result.row) }];
  }
}

export function count(
  changes: readonly RowChange[],
  counts: { inserted: number; replaced: number; deleted: number },
): void {
  for (const { kind } of changes) {
    if (kind === 'insert') counts.inserted += 1;
    else if (kind === 'replace') counts.replaced += 1;
    else counts.deleted += 1;
  }
}

export function orphanText({ table, key, parent }: Orphan): string {
  const which = key === undefined ? '' : ` ${key}`;
  return `a row of ${table}${which} would refer to a row of ${parent} that is not there; nothing was changed. Put back that table too`;
}
