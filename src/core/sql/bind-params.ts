import { type SqlDialect, scanSql } from './scan-sql.ts';

export type BoundStatement = {
  readonly text: string;
  /** In the order of `$1`, `$2`, … */
  readonly names: readonly string[];
};

/**
 * Puts `$1`, `$2`, … in the place of `:name`, for those names that there are. Others stay: `a[1:n]` is a slice of an
 * array.
 */
export function bindParams(text: string, known: readonly string[], dialect: SqlDialect): BoundStatement {
  const names: string[] = [];
  const pieces = scanSql(text, dialect).map((token) => {
    const name = token.text.slice(1);
    if (token.kind !== 'param' || !known.includes(name)) return token.text;
    if (!names.includes(name)) names.push(name);
    return dialect === 'sqlite' ? token.text : `$${names.indexOf(name) + 1}`;
  });
  return { text: pieces.join(''), names };
}
