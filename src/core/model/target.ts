import { formatDuration, formatInstant, type Millis } from '../units.ts';
import type { Check } from './check.ts';
import type { PostgresDatabase } from './metric-source.ts';
import type { Origin } from './origin.ts';
import type { PointId } from './point.ts';
import { nameDatabase, type SqlDatabase } from './sql-step.ts';
import type { Step } from './step.ts';

/** Something that can be put back as it was. */
export type Target = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly type: TargetType;
  /** Done around a restore; what stops a service is undone afterwards, whatever happens. */
  readonly quiesce: readonly Step[];
  /** True of a target that is intact. */
  readonly checks: readonly Check[];
};

export type TargetType = GitTarget | FilesTarget | SqliteTarget | PostgresTarget;

/** What is captured into points and put back from them; a checkout is moved between the revisions that git has. */
export type CapturedType = Exclude<TargetType, GitTarget>;
export type CapturedTarget = Target & { readonly type: CapturedType };
export type CodeTarget = Target & { readonly type: GitTarget };

export function isCapturedTarget(target: Target): target is CapturedTarget {
  return target.type.kind !== 'git';
}

export function isCodeTarget(target: Target): target is CodeTarget {
  return target.type.kind === 'git';
}

/** Code: a checkout that is moved between revisions. What git does not track in it stays. */
export type GitTarget = {
  readonly kind: 'git';
  /** The folder of the checkout, or one within it. */
  readonly path: string;
  /** Where new revisions come from; without it revertd moves the checkout only in a rung. */
  readonly track?: TrackedRef;
  /** Done in a folder of their own, beside the checkout in use. */
  readonly build: readonly Step[];
  /** What of the build is put in place, and where, by renaming. */
  readonly publish?: { readonly from: string; readonly to: string };
  /** Owed after each move, until done: what makes the new revision effective. */
  readonly activate: readonly Step[];
  /** A revision is good once it was effective for so long while nothing that names the target was the matter. */
  readonly bakeMs: Millis;
};

/** Trees of files, captured and put back with all that belongs to them. */
export type FilesTarget = {
  readonly kind: 'files';
  /** Absolute; none lies within another. */
  readonly paths: readonly string[];
  /** Patterns of what is neither captured nor touched by a restore. See `drivers/targets/files/exclusion.ts`. */
  readonly exclude: readonly string[];
  /** Whether file systems that are mounted within the trees are left out. */
  readonly oneFileSystem: boolean;
};

/** A SQLite database: the file at `path` and what SQLite keeps beside it. */
export type SqliteTarget = { readonly kind: 'sqlite'; readonly path: string };

/** A PostgreSQL database, or the tables of it that are named, and those of the schemas that are named. */
export type PostgresTarget = {
  readonly kind: 'postgres';
  readonly database: PostgresDatabase;
  /** With `tables` empty too: all of the database. */
  readonly schemas: readonly string[];
  /** `schema.table`, or `table` of the schema public. */
  readonly tables: readonly string[];
};

/** Rows of a database: all of these tables, or those of the only one that have these primary keys. */
export type RowSelection = { readonly tables: readonly string[]; readonly keys: readonly string[] };

export type TrackedRef = { readonly remote: string; readonly ref: string; readonly intervalMs: Millis };

/** What a checkout shows. `tree` is the hash of its content, the same for an amended commit with the same content. */
export type CodeRevision = { readonly commit: string; readonly tree: string };

/** Where a restore goes. A revision is one of git; all but `lastGood` and `revision` are of captured targets. */
export type RestorePoint =
  /** The newest state that has proved good before the incident began. */
  | { readonly kind: 'lastGood' }
  | { readonly kind: 'revision'; readonly revision: string }
  /** The newest intact point from before the incident. */
  | { readonly kind: 'latestValid' }
  /** What this rung was about to overwrite. */
  | { readonly kind: 'safetyPoint' }
  | { readonly kind: 'point'; readonly point: PointId }
  /** The newest intact point that was complete by then. */
  | { readonly kind: 'at'; readonly at: Millis }
  /** The newest intact point that was complete so long before the first breach. */
  | { readonly kind: 'before'; readonly byMs: Millis };

/** What follows a ref; undefined for all other targets. */
export function trackOf({ type }: Pick<Target, 'type'>): TrackedRef | undefined {
  return type.kind === 'git' ? type.track : undefined;
}

/** What is done with a new state before it is put in place. */
export function buildOf({ type }: Pick<Target, 'type'>): readonly Step[] {
  return type.kind === 'git' ? type.build : [];
}

/** What makes a new state effective. */
export function activationOf({ type }: Pick<Target, 'type'>): readonly Step[] {
  return type.kind === 'git' ? type.activate : [];
}

/** How long a state must have been calm to be good; 0 for what has no revisions. */
export function bakeOf(target: Pick<Target, 'type'> | undefined): Millis {
  return target?.type.kind === 'git' ? target.type.bakeMs : 0;
}

/** Where it is on the host, the first place if it has several; of a database on a server, what it is called. */
export function pathOf({ type }: Pick<Target, 'type'>): string {
  switch (type.kind) {
    case 'files':
      return type.paths[0] ?? '';
    case 'postgres':
      return nameDatabase(type.database);
    case 'git':
    case 'sqlite':
      return type.path;
  }
}

/** The database that the target is, where it is one: what would be lost can be counted in it. */
export function databaseOf(type: Target['type']): SqlDatabase | undefined {
  switch (type.kind) {
    case 'git':
    case 'files':
      return undefined;
    case 'sqlite':
      return { kind: 'sqlite', path: type.path };
    case 'postgres':
      return type.database;
  }
}

/** Whether there are captures of it; what git tracks has its revisions instead. */
export function isCaptured({ kind }: Target['type']): boolean {
  switch (kind) {
    case 'git':
      return false;
    case 'files':
    case 'sqlite':
    case 'postgres':
      return true;
  }
}

export function targetObject(name: string): string {
  return `Target/${name}`;
}

/** Short enough for a line, long enough to be found again. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 12);
}

/** `orders, lines of ` or `2 rows of orders of `; empty for a whole target. */
export function describePart(paths: readonly string[], rows: RowSelection | undefined): string {
  if (rows === undefined) return paths.length === 0 ? '' : `${paths.join(', ')} of `;
  const tables = `${rows.tables.join(', ')} of `;
  if (rows.keys.length === 0) return tables;
  return `${rows.keys.length === 1 ? 'the row' : 'the rows'} ${rows.keys.join(', ')} of ${tables}`;
}

export function describeRestorePoint(to: RestorePoint): string {
  switch (to.kind) {
    case 'lastGood':
      return 'its last good state';
    case 'revision':
      return `revision ${to.revision}`;
    case 'latestValid':
      return 'its newest valid point';
    case 'safetyPoint':
      return 'what it was before this rung';
    case 'point':
      return `point ${to.point}`;
    case 'at':
      return `how it was at ${formatInstant(to.at)}`;
    case 'before':
      return `how it was ${formatDuration(to.byMs)} before the first breach`;
  }
}
