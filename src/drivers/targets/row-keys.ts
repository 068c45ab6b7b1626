import { TargetError } from './target-driver.ts';

/**
 * Rows of a table by the texts of their primary keys, in the order of its columns: `42`, or `id=42`, or of a key with
 * several columns `tenant=7,id=42`, in any order. @throws {TargetError} `snapshot`
 */
export function keyValues(
  table: string,
  columns: readonly string[],
  keys: readonly string[],
): readonly (readonly string[])[] {
  if (columns.length === 0) {
    throw new TargetError('snapshot', `${table} has no primary key, so its rows have none to be named by`);
  }
  return keys.map((key) => valuesOf(table, columns, key));
}

function valuesOf(table: string, columns: readonly string[], key: string): readonly string[] {
  const [only, ...others] = columns;
  if (only !== undefined && others.length === 0) return [key.startsWith(`${only}=`) ? key.slice(only.length + 1) : key];
  const pairs = key.split(',').map((pair) => {
    const split = pair.indexOf('=');
    return [pair.slice(0, split).trim(), pair.slice(split + 1)] as const;
  });
  const values = columns.flatMap((column) => pairs.filter(([name]) => name === column).map(([, value]) => value));
  if (values.length === columns.length && pairs.length === columns.length) return values;
  const expected = columns.map((column) => `${column}=VALUE`).join(',');
  throw new TargetError('snapshot', `"${key}" is no key of ${table}; expected ${expected}`);
}
