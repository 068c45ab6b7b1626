import { hasLongNumbers } from '../json/long-numbers.ts';
import type { JsonValue } from '../model/step.ts';
import type { Cell, Row } from './cell.ts';
import { type Held, resolveConflict, type Strategy, type Versions } from './conflict.ts';
import { mergeJson } from './merge-json.ts';
import { asLive, type MergedTable, type RowConflict, type RowResult } from './merge-row.ts';

export type Resolution = RowResult | { readonly kind: Held };

/** What a strategy makes of a row in conflict. */
export function resolveRow(
  table: MergedTable,
  conflict: RowConflict,
  versions: Versions<Row>,
  strategy: Strategy,
): Resolution {
  const merged = strategy === 'merge' ? mergeDocuments(table, conflict, versions) : undefined;
  if (merged !== undefined) return merged;
  const found = resolveConflict(conflict.class, strategy);
  return found === 'snapshot' ? decideRow(table, conflict, versions, found) : { kind: found };
}

/** The row with one side's version of all that is in conflict; what is not in conflict is merged all the same. */
export function decideRow(
  table: MergedTable,
  { cells, merged }: RowConflict,
  { live, snapshot }: Versions<Row>,
  side: 'live' | 'snapshot',
): RowResult {
  if (merged === undefined || live === undefined || snapshot === undefined) {
    if (side === 'live') return { kind: 'keep' };
    return snapshot === undefined ? { kind: 'delete' } : { kind: 'put', row: asLive(table, snapshot) };
  }
  const taken = side === 'snapshot' ? cells.filter(({ column }) => table.inLive[column] === true) : [];
  const row = merged.map((cell, at) => (taken.some(({ column }) => column === at) ? snapshot[at] : cell));
  return { kind: 'put', row };
}

/** Undefined unless every cell in conflict has three objects that have none. */
function mergeDocuments(table: MergedTable, conflict: RowConflict, versions: Versions<Row>): RowResult | undefined {
  if (conflict.merged === undefined || conflict.cells.length === 0) return undefined;
  const row: (Cell | undefined)[] = [...conflict.merged];
  for (const { column } of conflict.cells) {
    const text = table.isJson[column] === true ? mergedDocument(versions, column) : undefined;
    if (text === undefined) return undefined;
    row[column] = text;
  }
  return { kind: 'put', row };
}

function mergedDocument({ ancestor, live, snapshot }: Versions<Row>, column: number): string | undefined {
  const [before, mine, theirs] = [ancestor, live, snapshot].map((row) => documentOf(row?.[column]));
  if (before === undefined || mine === undefined || theirs === undefined) return undefined;
  const { merged, conflicts } = mergeJson({ ancestor: before, live: mine, snapshot: theirs }, { hasAncestor: true });
  return merged === undefined || conflicts.length > 0 ? undefined : JSON.stringify(merged);
}

function documentOf(cell: Cell | undefined): JsonValue | undefined {
  if (typeof cell !== 'string' || hasLongNumbers(cell)) return undefined;
  try {
    return JSON.parse(cell) as JsonValue;
  } catch {
    return undefined;
  }
}
