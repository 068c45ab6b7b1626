import type { Row } from '../../../core/merge/cell.ts';
import type { MergedTable } from '../../../core/merge/merge-row.ts';
import { changedColumns, columnText, hasOtherKey, type Shape } from '../changed-shape.ts';
import { TargetError } from '../target-driver.ts';
import type { TableShape } from './rows-session.ts';

/** One table of several states, whose rows are brought to the same places: live columns first, then those that are gone. */
export type AlignedTable = {
  readonly live: TableShape;
  readonly names: readonly string[];
  readonly merged: MergedTable;
  readonly align: Readonly<Record<'ancestor' | 'snapshot', (row: Row) => Row>>;
  readonly liveRow: (row: Row) => Row;
};

/** @throws {TargetError} `snapshot` where its primary key is another one now */
export function alignTable(live: TableShape, snapshot: TableShape, ancestor: TableShape | undefined): AlignedTable {
  for (const one of [snapshot, ...(ancestor === undefined ? [] : [ancestor])]) refuseOtherKey(live, one);
  const names = [
    ...new Set([live, snapshot, ancestor].flatMap((shape) => shape?.columns.map(({ name }) => name) ?? [])),
  ];
  const typeOf = (name: string) => live.columns.find((column) => column.name === name);
  return {
    live,
    names,
    merged: {
      inLive: names.map((name) => has(live, name)),
      inSnapshot: names.map((name) => has(snapshot, name)),
      hasAncestor: ancestor !== undefined,
      isJson: names.map((name) => typeOf(name)?.isJson === true),
    },
    align: { ancestor: aligner(names, ancestor ?? live), snapshot: aligner(names, snapshot) },
    liveRow: (row) => row.slice(0, live.columns.length),
  };
}

function has(shape: TableShape, name: string): boolean {
  return shape.columns.some((column) => column.name === name);
}

function refuseOtherKey(live: TableShape, other: TableShape): void {
  if (!hasOtherKey(shapeOf(other), shapeOf(live))) return;
  const message = `the primary key of ${live.name} is (${live.key.join(', ')}) now, and was (${other.key.join(', ')}); its rows cannot be held against each other`;
  throw new TargetError('snapshot', message);
}

function aligner(names: readonly string[], { columns }: TableShape): (row: Row) => Row {
  const isSame = names.length === columns.length && names.every((name, index) => columns[index]?.name === name);
  if (isSame) return (row) => row;
  const places = names.map((name) => columns.findIndex((column) => column.name === name));
  return (row) => places.map((place) => (place < 0 ? undefined : row[place]));
}

export function shapeOf({ columns, key }: TableShape): Shape {
  return { columns: columns.map(columnText), key };
}

/** @throws {TargetError} `snapshot`: rows cannot be made what they were in columns that are other ones. */
export function refuseOtherColumns(live: TableShape, snapshot: TableShape): void {
  const { added, gone } = changedColumns(shapeOf(snapshot), shapeOf(live));
  if (added.length + gone.length === 0) return;
  const parts = [
    ...(added.length === 0 ? [] : [`now has ${added.join(', ')}`]),
    ...(gone.length === 0 ? [] : [`then had ${gone.join(', ')}`]),
  ];
  const message = `the columns of ${live.name} have changed since the point: it ${parts.join(', and ')}. Nothing was changed`;
  throw new TargetError('snapshot', message);
}
