import { type Cell, isSameCell, type Row } from '../../../core/merge/cell.ts';
import type { Batches } from '../../../core/merge/join-sorted.ts';
import type { RowSelection } from '../../../core/model/target.ts';
import type { ContentStore } from '../../../store/content/content-store.ts';
import { type DiffGroup, DiffTally } from '../captured-target.ts';
import { noteOfShape } from '../changed-shape.ts';
import { alignTable, shapeOf } from './align-table.ts';
import { type KeyedVersions, sideBySide } from './change-rows.ts';
import { shownKey } from './row-key.ts';
import type { TableShape } from './rows-session.ts';
import type { KeptTable } from './rows-snapshot.ts';

const LONGEST_VALUE = 60;

/** A table in the state that is compared with, and its rows in the order of their keys. */
export type NewerTable = { readonly shape: TableShape; readonly read: () => Batches<Row> };

/** What is different in `newer`; undefined if nothing is. */
export async function compareTable(
  older: KeptTable,
  newer: NewerTable,
  { store, rows }: { readonly store: ContentStore; readonly rows: RowSelection | undefined },
): Promise<DiffGroup | undefined> {
  const aligned = alignTable(newer.shape, older, undefined);
  const tally = new DiffTally(older.name);
  const sides = { kept: older, rows, store };
  for await (const batch of sideBySide({ read: newer.read }, aligned, sides)) {
    for (const one of batch) await addTo(tally, aligned.names, newer.shape, one);
  }
  const note = noteOfShape(shapeOf(older), shapeOf(newer.shape));
  const group = tally.group(note);
  return group.added + group.removed + group.changed === 0 && note === undefined ? undefined : group;
}

async function addTo(
  tally: DiffTally,
  names: readonly string[],
  shape: TableShape,
  { texts, versions: { live, snapshot } }: KeyedVersions,
): Promise<void> {
  const what = shownKey(shape, texts);
  if (snapshot === undefined) await tally.add('added', () => ({ what, detail: '' }));
  else if (live === undefined) await tally.add('removed', () => ({ what, detail: '' }));
  else {
    const changed = names.flatMap((name, index) => {
      const [before, after] = [snapshot[index], live[index]];
      if (before === undefined || after === undefined || isSameCell(before, after)) return [];
      return [{ name, before, after }];
    });
    if (changed.length === 0) return;
    const detail = () =>
      changed.map(({ name, before, after }) => `${name}: ${shownCell(before)} → ${shownCell(after)}`).join(', ');
    await tally.add('changed', () => ({ what, detail: detail() }));
  }
}

/** As in SQL, and not too long. */
export function shownCell(cell: Cell): string {
  if (cell === null) return 'NULL';
  if (cell instanceof Uint8Array) {
    const hex = Buffer.from(cell.subarray(0, LONGEST_VALUE / 2)).toString('hex');
    return `x'${hex}${cell.length > LONGEST_VALUE / 2 ? '…' : ''}'`;
  }
  const text = typeof cell === 'string' ? JSON.stringify(cell) : String(cell);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
