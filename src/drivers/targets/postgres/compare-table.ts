import type { DiffGroup, DiffItem } from '../captured-target.ts';
import { columnText, hasOtherKey, noteOfShape } from '../changed-shape.ts';
import { compareBytes, spanOf } from '../compare-bytes.ts';
import { ChangedKeys, type ChangeKind } from './changed-keys.ts';
import { type Connection, quoted } from './connection.ts';
import { columnsOf, keyOf, quotedTable, shownTable, type TableName } from './contents.ts';
import { blockCount, differingBlocks, linesOfBlocks, type RowSource } from './differing-blocks.ts';
import { keyCondition } from './row-keys.ts';

/** Rows of each kind that are shown of a table. */
const ROWS_SHOWN = 20;
const LONGEST_VALUE = 60;

type Sides = { readonly older: Connection; readonly newer: Connection };

type Shape = {
  readonly table: TableName;
  /** Empty if there is none: then a row is its own key. */
  readonly key: readonly string[];
  /** What both have. */
  readonly columns: readonly string[];
  readonly condition: string;
};

/**
 * Rows by primary key: of the blocks whose sums differ they are read side by side in its order, so that none but the shown
 * ones are held. `rows`: about how many there are.
 */
export async function compareTable(
  table: TableName,
  sides: Sides,
  { keys, rows }: { readonly keys: readonly string[]; readonly rows: number },
): Promise<DiffGroup | undefined> {
  const [before, after] = [await columnsOf(sides.older, table), await columnsOf(sides.newer, table)];
  const key = await keyOf(sides.older, table);
  const older = { columns: before.map(columnText), key };
  const newer = { columns: after.map(columnText), key: await keyOf(sides.newer, table) };
  const note = noteOfShape(older, newer);
  const names = after.map(({ name }) => name).filter((name) => before.some((column) => column.name === name));
  const condition = keys.length === 0 ? 'true' : keyCondition(shownTable(table), key, keys);
  const shape = { table, key: hasOtherKey(older, newer) ? [] : key, columns: names, condition };
  const found = await compareRows(shape, sides, blockCount(keys.length === 0 ? rows : keys.length));
  if (found.added + found.removed + found.changed === 0 && (note === undefined || keys.length > 0)) return undefined;
  const isCut = found.added + found.removed + found.changed > found.items.length;
  return { name: shownTable(table), ...found, isCut, ...(note === undefined ? {} : { note }) };
}

async function compareRows(shape: Shape, sides: Sides, blocks: number) {
  const source = sourceOf(shape);
  const changed = new ChangedKeys(ROWS_SHOWN);
  const found = await differingBlocks(source, sides, blocks);
  if (found.length > 0) {
    await linesOfBlocks(source, sides, { found, blocks }, (before, after) => changed.compare(before, after));
  }
  const items =
    shape.key.length === 0 ? await keylessItems(shape, sides, changed) : await keyedItems(shape, sides, changed);
  return { ...changed.counts, items };
}

async function keyedItems(shape: Shape, sides: Sides, { first }: ChangedKeys): Promise<readonly DiffItem[]> {
  const items: DiffItem[] = [];
  for (const [kind, text] of first) {
    const parsed: unknown = JSON.parse(text);
    const key = Array.isArray(parsed) ? parsed.map(String) : [];
    const detail = kind === 'changed' ? await changedCells(shape, sides, key) : '';
    items.push({ kind, what: shownKey(shape, key), detail });
  }
  return items;
}

/** Of rows that have no key but themselves, which are known by their sums: so they are told by what they begin with. */
async function keylessItems(shape: Shape, sides: Sides, { first }: ChangedKeys): Promise<readonly DiffItem[]> {
  const sumsOf = (kind: ChangeKind) => first.filter(([one]) => one === kind).map(([, sum]) => sum);
  const texts = {
    removed: await beginningsOf(shape, sides.older, sumsOf('removed')),
    added: await beginningsOf(shape, sides.newer, sumsOf('added')),
    changed: new Map<string, string>(),
  };
  const items = first.map(([kind, sum]) => ({ kind, what: shortened(texts[kind].get(sum) ?? ''), detail: '' }));
  return items.sort((a, b) => compareBytes(spanOf(a.what), spanOf(b.what)));
}

/** One look through the table for all of them. */
async function beginningsOf(
  { table, columns }: Shape,
  { rows }: Connection,
  sums: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (sums.length === 0) return new Map();
  const content = contentOf(columns);
  const query = `SELECT md5(${content}), min(left(${content}, ${LONGEST_VALUE + 1})) FROM ONLY ${quotedTable(table)}
    WHERE md5(${content}) = ANY ($1::text[]) GROUP BY 1`;
  const found = await rows(query, [`{${sums.join(',')}}`]);
  return new Map(found.map(([sum, text]) => [sum ?? '', text ?? '']));
}

function sourceOf({ table, key, columns, condition }: Shape): RowSource {
  const content = contentOf(columns);
  const texts = key.map((name) => `${quoted(name)}::text`).join(', ');
  const text = key.length === 0 ? `md5(${content})` : `to_json(ARRAY[${texts}])::text`;
  return { table: quotedTable(table), condition, key: text, content };
}

function contentOf(columns: readonly string[]): string {
  return `ROW(${columns.map(quoted).join(', ')})::text`;
}

function shownKey({ key }: Shape, values: readonly string[]): string {
  return key.map((column, index) => `${column}=${shown(values[index] ?? null)}`).join(', ');
}

/** By the index of the primary key; of large values just the beginning comes over. */
async function changedCells(shape: Shape, { older, newer }: Sides, key: readonly string[]): Promise<string> {
  const others = shape.columns.filter((column) => !shape.key.includes(column));
  const match = shape.key.map((column, index) => `${quoted(column)} = $${index + 1}`).join(' AND ');
  const cells = others.flatMap((column) => {
    const text = `${quoted(column)}::text`;
    return [`left(${text}, ${LONGEST_VALUE + 1})`, `md5(${text})`];
  });
  const query = `SELECT ${cells.join(', ')} FROM ONLY ${quotedTable(shape.table)} WHERE ${match}`;
  const [[before = []], [after = []]] = [await older.rows(query, key), await newer.rows(query, key)];
  return others
    .flatMap((column, index) => {
      const [text, sum] = [index * 2, index * 2 + 1];
      if (before[sum] === after[sum]) return [];
      return [`${column}: ${shown(before[text] ?? null)} → ${shown(after[text] ?? null)}`];
    })
    .join(', ');
}

function shown(value: string | null): string {
  if (value === null) return 'NULL';
  return /^-?\d+(?:\.\d+)?$/.test(value) ? value : shortened(JSON.stringify(value));
}

function shortened(text: string): string {
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
