import type { PostgresTarget, Target } from '../../../core/model/target.ts';

export type PostgresTargetOf = Target & { readonly type: PostgresTarget };

/** @throws {TypeError} if it is of another kind */
export function postgresOf(target: Target): PostgresTargetOf {
  const { type } = target;
  if (type.kind !== 'postgres') throw new TypeError(`${target.name} is of type ${type.kind}, not postgres`);
  return { ...target, type };
}

/** Whether it is all of the database. */
export function isWhole({ schemas, tables }: PostgresTarget): boolean {
  return schemas.length === 0 && tables.length === 0;
}
