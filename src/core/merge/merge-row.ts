import { type Cell, isSameContent, type Row, typeOfCell } from './cell.ts';
import { type ConflictClass, pickSide, type Versions } from './conflict.ts';

/** What a merge has to know of a table; the lists have a place for each column of any of the three states. */
export type MergedTable = {
  readonly inLive: readonly boolean[];
  readonly inSnapshot: readonly boolean[];
  /** False: how it was is not known, so that every difference is a conflict. */
  readonly hasAncestor: boolean;
  /** Columns of JSON documents, whose objects the strategy `merge` looks into. */
  readonly isJson: readonly boolean[];
};

export type CellConflict = { readonly column: number; readonly class: ConflictClass };

export type RowConflict = {
  readonly kind: 'conflict';
  /** The gravest of its cells, or of the row as a whole. */
  readonly class: ConflictClass;
  /** Empty where the row itself is in conflict: one side removed it. */
  readonly cells: readonly CellConflict[];
  /** The live row with all that is not in conflict taken from the snapshot; undefined where it has none. */
  readonly merged: Row | undefined;
};

/** What becomes of a live row. Of a row that is put, cells that are undefined get their column's default. */
export type RowResult =
  | { readonly kind: 'keep' }
  | { readonly kind: 'put'; readonly row: Row }
  | { readonly kind: 'delete' };
export type RowOutcome = RowResult | RowConflict;

const KEEP = { kind: 'keep' } as const;
const DELETE = { kind: 'delete' } as const;
const GRAVEST: readonly ConflictClass[] = ['structure', 'duplicate', 'type', 'value'];

/**
 * Merges one row, cell by cell. A row that one side removed is in conflict only if the other changed a cell of a column that
 * both sides still have. Rules: Dolt's merges.
 */
export function mergeRow(table: MergedTable, versions: Versions<Row>): RowOutcome {
  const { ancestor, live, snapshot } = versions;
  if (live === undefined && snapshot === undefined) return KEEP;
  if (live === undefined) return mergeRemoved(table, ancestor, snapshot, 'live');
  if (snapshot === undefined) return mergeRemoved(table, ancestor, live, 'snapshot');
  return mergeCells(table, ancestor, live, snapshot);
}

/** One side has the row no more, or not yet. */
function mergeRemoved(
  table: MergedTable,
  ancestor: Row | undefined,
  left: Row | undefined,
  without: 'live' | 'snapshot',
): RowOutcome {
  const taken: RowResult = without === 'live' ? { kind: 'put', row: asLive(table, left ?? []) } : DELETE;
  const missing: RowConflict = { kind: 'conflict', class: 'missing', cells: [], merged: undefined };
  if (!table.hasAncestor) return missing;
  // It was added by the side that has it.
  if (ancestor === undefined) return without === 'live' ? taken : KEEP;
  const remaining = without === 'live' ? table.inLive : table.inSnapshot;
  const isChanged = ancestor.some(
    (cell, column) => remaining[column] === true && cell !== undefined && !isSaidAlike(cell, left?.[column]),
  );
  if (isChanged) return missing;
  return without === 'live' ? KEEP : DELETE;
}

/** A state without the column says nothing about it. */
function isSaidAlike(cell: Cell, other: Cell | undefined): boolean {
  return other === undefined || isSameContent(cell, other);
}

function mergeCells(table: MergedTable, ancestor: Row | undefined, live: Row, snapshot: Row): RowOutcome {
  const merged: (Cell | undefined)[] = [...live];
  const cells: CellConflict[] = [];
  let isChanged = false;
  for (let column = 0; column < table.inLive.length; column += 1) {
    const versions = { ancestor: ancestor?.[column], live: live[column], snapshot: snapshot[column] };
    const picked = pickCell(versions, table.hasAncestor && ancestor !== undefined);
    if (picked === 'snapshot') {
      merged[column] = versions.snapshot;
      isChanged = true;
    } else if (picked !== 'live') {
      cells.push({ column, class: table.hasAncestor && ancestor === undefined ? duplicateOr(picked) : picked });
    }
  }
  if (cells.length > 0) return { kind: 'conflict', class: gravest(cells), cells, merged };
  return isChanged ? { kind: 'put', row: merged } : KEEP;
}

/** What both sides added is a duplicate, whatever its cells are. */
function duplicateOr(picked: ConflictClass): ConflictClass {
  return picked === 'structure' ? picked : 'duplicate';
}

function pickCell(versions: Versions<Cell>, hasAncestor: boolean): 'live' | 'snapshot' | ConflictClass {
  const { ancestor, live, snapshot } = versions;
  // The snapshot has no such column, and says nothing about it.
  if (snapshot === undefined) return 'live';
  if (live === undefined) {
    const isLost = snapshot !== null && !(hasAncestor && isSameContent(snapshot, ancestor));
    return isLost ? 'structure' : 'live';
  }
  const picked = pickSide(versions, isSameContent, hasAncestor && ancestor !== undefined);
  if (picked !== 'conflict') return picked;
  const isNull = live === null || snapshot === null;
  return isNull || typeOfCell(live) === typeOfCell(snapshot) ? 'value' : 'type';
}

function gravest(cells: readonly CellConflict[]): ConflictClass {
  return GRAVEST.find((one) => cells.some((cell) => cell.class === one)) ?? 'value';
}

/** A row of the snapshot as far as the live table has columns for it. */
export function asLive({ inLive }: MergedTable, row: Row): Row {
  return row.map((cell, column) => (inLive[column] === true ? cell : undefined));
}
