import type { DiffGroup, DiffItem } from '../captured-target.ts';
import { type Connection, quoted } from './connection.ts';
import { type Column, columnsOf, keyOf, quotedTable, shownTable, type TableName } from './contents.ts';
import { keyCondition } from './row-keys.ts';

/** Rows of each kind that are shown of a table. */
const ROWS_SHOWN = 20;
const LONGEST_VALUE = 60;
const BATCH = 2000;

type Sides = { readonly older: Connection; readonly newer: Connection };

/** A row as it is compared: by its key, in the order of the bytes, and a sum over its cells. */
type Line = { readonly key: readonly string[]; readonly order: Buffer; readonly sum: string };

type Shape = {
  readonly table: TableName;
  /** Empty if there is none: then a row is its own key. */
  readonly key: readonly string[];
  /** What both have. */
  readonly columns: readonly string[];
  readonly condition: string;
};

/** Rows by primary key, read side by side in its order, so that none but the shown ones are held. */
export async function compareTable(
  table: TableName,
  sides: Sides,
  keys: readonly string[],
): Promise<DiffGroup | undefined> {
  const [before, after] = [await columnsOf(sides.older, table), await columnsOf(sides.newer, table)];
  const [key, otherKey] = [await keyOf(sides.older, table), await keyOf(sides.newer, table)];
  const note = noteOf(before, after, key.join() !== otherKey.join());
  const names = after.map(({ name }) => name).filter((name) => before.some((column) => column.name === name));
  const isSameKey = key.join() === otherKey.join();
  const condition = keys.length === 0 ? 'true' : keyCondition(shownTable(table), key, keys);
  const shape = { table, key: isSameKey ? key : [], columns: names, condition };
  const found = await compareRows(shape, sides);
  if (found.added + found.removed + found.changed === 0 && (note === undefined || keys.length > 0)) return undefined;
  const isCut = found.added + found.removed + found.changed > found.items.length;
  return { name: shownTable(table), ...found, isCut, ...(note === undefined ? {} : { note }) };
}

function noteOf(before: readonly Column[], after: readonly Column[], isOtherKey: boolean): string | undefined {
  const text = ({ name, type }: Column) => `${name} ${type}`;
  const added = after.map(text).filter((column) => !before.map(text).includes(column));
  const gone = before.map(text).filter((column) => !after.map(text).includes(column));
  const parts = [
    ...(added.length === 0 ? [] : [`new columns: ${added.join(', ')}`]),
    ...(gone.length === 0 ? [] : [`columns that are gone: ${gone.join(', ')}`]),
    ...(isOtherKey ? ['its primary key is another'] : []),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

async function compareRows(shape: Shape, { older, newer }: Sides) {
  const counts = { added: 0, removed: 0, changed: 0 };
  const items: DiffItem[] = [];
  const note = async (kind: DiffItem['kind'], { key }: Line) => {
    counts[kind] += 1;
    if (counts[kind] > ROWS_SHOWN) return;
    const detail = kind === 'changed' ? await changedCells(shape, { older, newer }, key) : '';
    items.push({ kind, what: shownKey(shape, key), detail });
  };
  const [before, after] = [linesOf(older, shape), linesOf(newer, shape)];
  let [a, b] = [await before.next(), await after.next()];
  while (a.done !== true || b.done !== true) {
    const order = a.done === true ? 1 : b.done === true ? -1 : Buffer.compare(a.value.order, b.value.order);
    if (order < 0 && a.done !== true) {
      await note('removed', a.value);
      a = await before.next();
    } else if (order > 0 && b.done !== true) {
      await note('added', b.value);
      b = await after.next();
    } else if (a.done !== true && b.done !== true) {
      if (a.value.sum !== b.value.sum) await note('changed', b.value);
      [a, b] = [await before.next(), await after.next()];
    }
  }
  return { ...counts, items };
}

/** In the order of the bytes of their keys, which is the same on both sides whatever their collations are. */
async function* linesOf(connection: Connection, shape: Shape): AsyncGenerator<Line, undefined> {
  const row = `ROW(${shape.columns.map(quoted).join(', ')})::text`;
  const key =
    shape.key.length === 0
      ? row
      : `to_json(ARRAY[${shape.key.map((name) => `${quoted(name)}::text`).join(', ')}])::text`;
  const order = `convert_to(${key}, 'UTF8')`;
  const sum = shape.key.length === 0 ? `''` : `md5(${row})`;
  const cursor = 'revertd_rows';
  await connection.rows(
    `DECLARE ${cursor} NO SCROLL CURSOR FOR SELECT ${key}, ${sum} FROM ONLY ${quotedTable(shape.table)} WHERE ${shape.condition} ORDER BY ${order}`,
  );
  try {
    for (;;) {
      const found = await connection.rows(`FETCH ${BATCH} FROM ${cursor}`);
      for (const [text, digest] of found) yield lineOf(shape, text ?? '', digest ?? '');
      if (found.length < BATCH) return undefined;
    }
  } finally {
    await connection.rows(`CLOSE ${cursor}`);
  }
}

function lineOf({ key }: Shape, text: string, sum: string): Line {
  const parsed: unknown = key.length === 0 ? [text] : JSON.parse(text);
  return { key: Array.isArray(parsed) ? parsed.map(String) : [], order: Buffer.from(text), sum };
}

function shownKey({ key }: Shape, values: readonly string[]): string {
  if (key.length === 0) return shortened(values[0] ?? '');
  return key.map((column, index) => `${column}=${shown(values[index] ?? null)}`).join(', ');
}

async function changedCells(shape: Shape, { older, newer }: Sides, key: readonly string[]): Promise<string> {
  const others = shape.columns.filter((column) => !shape.key.includes(column));
  const match = shape.key.map((column, index) => `${quoted(column)}::text = $${index + 1}`).join(' AND ');
  const cells = others.map((column) => `${quoted(column)}::text`).join(', ');
  const query = `SELECT ${cells} FROM ONLY ${quotedTable(shape.table)} WHERE ${match}`;
  const [[before = []], [after = []]] = [await older.rows(query, key), await newer.rows(query, key)];
  return others
    .flatMap((column, index) => {
      const [a, b] = [before[index] ?? null, after[index] ?? null];
      return a === b ? [] : [`${column}: ${shown(a)} → ${shown(b)}`];
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
