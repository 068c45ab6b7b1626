/**
 * Why a difference cannot be settled by itself. `value`: both changed it, to different ones. `type`: to ones of different
 * types. `structure`: one of them has no such place any more, as for a column that is gone. `missing`: one changed what the
 * other removed. `duplicate`: both added it, differently. `constraint`: the result would break a rule of the database.
 * `dependency`: it would refer to what is not there.
 */
export const CONFLICT_CLASSES = [
  'value',
  'type',
  'structure',
  'missing',
  'duplicate',
  'constraint',
  'dependency',
] as const;
export type ConflictClass = (typeof CONFLICT_CLASSES)[number];

/**
 * What is done about conflicts. `abort`: nothing is changed. `skip`: those items stay live. `overwrite`: the snapshot's is
 * taken, but not over `structure` and `dependency`. `merge`: objects within a cell are merged too, and what is left is asked.
 * `manual`: all are asked.
 */
export const STRATEGIES = ['abort', 'skip', 'overwrite', 'merge', 'manual'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Why an item in conflict stays as it is: `asked`: a person decides; `aborted`: nothing at all is changed. */
export type Held = 'left' | 'asked' | 'aborted';

/** What a strategy makes of a conflict that it cannot look into. */
export function resolveConflict(kind: ConflictClass, strategy: Strategy): 'snapshot' | Held {
  switch (strategy) {
    case 'abort':
      return 'aborted';
    case 'skip':
      return 'left';
    case 'overwrite':
      return kind === 'structure' || kind === 'dependency' ? 'left' : 'snapshot';
    case 'merge':
    case 'manual':
      return 'asked';
  }
}

/** One thing as it was, as it is, and as it is to be again; undefined where it is not there. */
export type Versions<T> = {
  readonly ancestor: T | undefined;
  readonly live: T | undefined;
  readonly snapshot: T | undefined;
};

/** Whose version is taken; `conflict` if both changed it, each in its own way. */
export type Pick = 'live' | 'snapshot' | 'conflict';

/**
 * What is the same in snapshot and ancestor was changed by nobody but the live side, which is left; and the other way round.
 * Where it is not known how it was (`hasAncestor`), every difference is a conflict.
 */
export function pickSide<T>(
  { ancestor, live, snapshot }: Versions<T>,
  isSame: (a: T | undefined, b: T | undefined) => boolean,
  hasAncestor: boolean,
): Pick {
  if (isSame(live, snapshot)) return 'live';
  if (!hasAncestor) return 'conflict';
  if (isSame(snapshot, ancestor)) return 'live';
  return isSame(live, ancestor) ? 'snapshot' : 'conflict';
}
