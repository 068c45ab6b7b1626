import type { PostgresTarget } from '../../../core/model/target.ts';

/** Whether it is all of the database. */
export function isWhole({ schemas, tables }: PostgresTarget): boolean {
  return schemas.length === 0 && tables.length === 0;
}
