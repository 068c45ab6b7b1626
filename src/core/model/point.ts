import type { Millis } from '../units.ts';
import type { IncidentId } from './incident.ts';

/** `20261121T020000Z-memory-nightly`: sorts by the time at which it was begun. */
export type PointId = string;

/**
 * creating → capturing → stored → validating → valid | invalid
 * creating, capturing → failed: what was captured of it is collected as garbage
 * validating → stored: whether it is intact could not be found out; it is tried again
 * valid → validating: its content is read again because somebody or a schedule asked for it
 * valid | stored | invalid | failed → pruned → deleted; pruned → what it was before (`undelete`)
 *
 * `expired` is never stored: it is how a valid point is shown that the retention would prune, while a brake holds that.
 * `deleted` is never stored either: a point that is deleted is forgotten, and the log tells what it was.
 */
export type PointState =
  | 'creating'
  | 'capturing'
  | 'stored'
  | 'validating'
  | 'valid'
  | 'invalid'
  | 'failed'
  | 'expired'
  | 'pruned'
  | 'deleted';

/** What one target was. */
export type Snapshot = {
  readonly target: string;
  readonly type: 'files' | 'sqlite' | 'git' | 'flags' | 'http' | 'command' | 'postgres' | 'rows';
  /** SHA-256 of its manifest, by which the content store finds it. */
  readonly manifest: string;
  /** The span of its capture. */
  readonly from: Millis;
  readonly to: Millis;
  /** Plain content. */
  readonly bytes: number;
  /** What was new in the store, as it is stored. */
  readonly storedBytes: number;
  readonly compression: 'zstd' | 'gzip' | 'none';
  readonly encrypted: boolean;
  /** Identifies the state that was captured. */
  readonly fingerprint: string;
  /** Of a target of flags: the variant that each had. A restore goes by it without the content. */
  readonly flags?: Readonly<Record<string, string>>;
  /** Of a damaged database: it is not what that was, but what could be read of it. */
  readonly recovered?: Recovered;
};

/** What could be read of a damaged database, and what not. */
export type Recovered = {
  readonly tables: number;
  /** In their tables. */
  readonly rows: number;
  /** Rows that nobody can tell whose they are, or that their table did not take. */
  readonly lostAndFound: number;
  /** Each may have held many rows. */
  readonly unreadablePages: number;
  readonly unreadableRows: number;
  /** Tables, indexes, views and triggers that could not be made, by their names. */
  readonly unmade: readonly string[];
};

export type PointCause =
  | { readonly kind: 'schedule' | 'revision' | 'command' | 'api' | 'library'; readonly by?: string }
  /** Taken by a rung. `safety`: of what a restore of that rung is about to overwrite. */
  | { readonly kind: 'rollback'; readonly incident: IncidentId; readonly rung: string; readonly safety?: boolean };

/** A set of snapshots, taken together. */
export type Point = {
  readonly id: PointId;
  readonly name?: string;
  readonly description?: string;
  readonly session?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The PointPolicy that it lives by; null: by its own `ttlMs` alone. */
  readonly policy: string | null;
  readonly cause: PointCause;
  readonly targets: readonly string[];
  readonly createdAt: Millis;
  /** When its last snapshot was stored; its time to live counts from here. */
  readonly completedAt: Millis | null;
  /** Its own time to live, which its policy's does not extend; null: it has none of its own. */
  readonly ttlMs: Millis | null;
  readonly state: PointState;
  readonly snapshots: readonly Snapshot[];
  readonly pinned: { readonly by: string; readonly at: Millis; readonly reason?: string } | null;
  /** Why it is failed or invalid. */
  readonly failure: string | null;
  /** The person who ended its capture; absent where nobody did. */
  readonly cancelledBy?: string;
  /** When its content was last read whole and found intact; null: never. */
  readonly verifiedAt: Millis | null;
  /** Its content is to be read again; with `rehearse` it is also restored beside the live system. */
  readonly verify: AskedVerification | null;
  readonly pruned: Pruned | null;
  /** By the names of its policy's copies, what became of each; absent: none was tried yet. */
  readonly copies?: Readonly<Record<string, CopyState>>;
  /** A database that turns out to be damaged is kept as what can be read of it; absent: then the capture fails. */
  readonly recover?: boolean;
};

export type CopyState =
  | { readonly kind: 'copied'; readonly at: Millis }
  | { readonly kind: 'failing'; readonly attempts: number; readonly retryAt: Millis; readonly message: string };

export type AskedVerification = {
  readonly by: string;
  readonly rehearse: boolean;
  /** Not before; it failed so often before that for reasons that say nothing of the point. */
  readonly retryAt: Millis;
  readonly attempts: number;
};

export type Pruned = {
  readonly at: Millis;
  readonly reason: string;
  /** Its content is deleted then; until then it can be brought back. */
  readonly deleteAt: Millis;
  /** What it was before. */
  readonly was: PointState;
};

export function pointObject(id: PointId): string {
  return `Point/${id}`;
}

/** Whether it is known to be intact; one whose content is being read again is so until the contrary is found. */
export function isValid({ state, verifiedAt }: Pick<Point, 'state' | 'verifiedAt'>): boolean {
  return state === 'valid' || (state === 'validating' && verifiedAt !== null);
}

/** Whether nobody knows yet what will become of it. */
export function isUnderWay({ state }: Pick<Point, 'state'>): boolean {
  return state === 'creating' || state === 'capturing' || state === 'stored' || state === 'validating';
}

/** Whether its snapshots are whole, though perhaps not read again yet. */
export function isCaptured({ state }: Pick<Point, 'state'>): boolean {
  return state === 'stored' || state === 'validating' || state === 'valid';
}

export function snapshotOf(point: Pick<Point, 'snapshots'>, target: string): Snapshot | undefined {
  return point.snapshots.find((snapshot) => snapshot.target === target);
}

/** The same, unless it is only what could be read of a damaged database. */
export function wholeSnapshotOf(point: Pick<Point, 'snapshots'>, target: string): Snapshot | undefined {
  const snapshot = snapshotOf(point, target);
  return snapshot?.recovered === undefined ? snapshot : undefined;
}

/** Whether something in it is only what could be read of a damaged database. It is in the way of no point that is whole. */
export function isRecovered({ snapshots }: Pick<Point, 'snapshots'>): boolean {
  return snapshots.some(({ recovered }) => recovered !== undefined);
}

export function describeRecovered(recovered: Recovered): string {
  const { tables, rows, lostAndFound, unreadablePages, unreadableRows, unmade } = recovered;
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  return [
    `what could be read of a damaged database: ${counted(rows, 'row')} in ${counted(tables, 'table')}`,
    `not readable were ${counted(unreadablePages, 'page')} and ${counted(unreadableRows, 'row')}`,
    ...(lostAndFound === 0 ? [] : [`${counted(lostAndFound, 'row')} of no known table stand in lost_and_found`]),
    ...(unmade.length === 0 ? [] : [`not made anew: ${unmade.join(', ')}`]),
  ].join('; ');
}

const UNSAFE = /[^A-Za-z0-9._-]+/g;
const LONGEST_LABEL = 80;

/** The id of a point that begins at `at`; `label` is the name of its policy, of itself or of its target. */
export function pointId(at: Millis, label: string, taken: Readonly<Record<PointId, unknown>>): PointId {
  const time = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const base = `${time}-${label.replaceAll(UNSAFE, '-').slice(0, LONGEST_LABEL)}`;
  let id = base;
  for (let number = 2; Object.hasOwn(taken, id); number += 1) id = `${base}-${number}`;
  return id;
}

export function describeCause(cause: PointCause): string {
  switch (cause.kind) {
    case 'schedule':
      return 'by schedule';
    case 'revision':
      return cause.by === undefined ? 'for a new revision' : `for ${cause.by}`;
    case 'command':
    case 'api':
    case 'library':
      return cause.by === undefined ? `by ${cause.kind}` : `by ${cause.by}`;
    case 'rollback':
      return `${cause.safety === true ? 'before what' : 'by'} rung "${cause.rung}" of ${cause.incident}${cause.safety === true ? ' restores' : ''}`;
  }
}
