import { formatDuration, formatInstant, type Millis } from '../units.ts';
import type { Check } from './check.ts';
import type { HttpAuth, PostgresDatabase } from './metric-source.ts';
import type { Origin } from './origin.ts';
import type { PointId } from './point.ts';
import type { SecretRef } from './secret-ref.ts';
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

export type TargetType =
  | GitTarget
  | FilesTarget
  | SqliteTarget
  | PostgresTarget
  | HttpTarget
  | CommandTarget
  | FlagsTarget
  | RowsTarget;

export type TargetKind = TargetType['kind'];

export type TargetOf<K extends TargetKind> = Target & { readonly type: Extract<TargetType, { readonly kind: K }> };

/** @throws {TypeError} if it is of another kind */
export function targetOf<K extends TargetKind>(kind: K, target: Target): TargetOf<K> {
  if (isOfKind(kind, target)) return target;
  throw new TypeError(`${target.name} is of type ${target.type.kind}, not ${kind}`);
}

function isOfKind<K extends TargetKind>(kind: K, target: Target): target is TargetOf<K> {
  return target.type.kind === kind;
}

/** What has revisions beside its points. */
export type CodeTarget = TargetOf<'git'>;

export function isCodeTarget(target: Target): target is CodeTarget {
  return isOfKind('git', target);
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

/** The rows of chosen tables, by primary key; the rest of the database is none of it. */
export type RowsTarget = {
  readonly kind: 'rows';
  readonly database: SqlDatabase;
  /** At least one; of PostgreSQL `schema.table`, or `table` of the schema public. */
  readonly tables: readonly string[];
};

/** Whether a restore can merge it into what is live. */
export function isMergeable({ kind }: Pick<TargetType, 'kind'>): boolean {
  return kind === 'rows' || kind === 'http' || kind === 'files';
}

/** Rows of a database: all of these tables, or those of the only one that have these primary keys. */
export type RowSelection = { readonly tables: readonly string[]; readonly keys: readonly string[] };

/** A JSON document of a service, read with GET. */
export type HttpTarget = {
  readonly kind: 'http';
  readonly url: string;
  readonly headers: Readonly<Record<string, string | SecretRef>>;
  readonly auth?: HttpAuth;
  /** What it is written with. */
  readonly method: 'PUT' | 'POST';
  /** JSON pointers of what the service changes by itself: it makes no difference. */
  readonly ignore: readonly string[];
  /** Of one request. */
  readonly timeoutMs: Millis;
  /** A longer document is refused. */
  readonly maxBytes: number;
};

/** Whatever programs can write to their standard output and take back from their standard input. */
export type CommandTarget = {
  readonly kind: 'command';
  readonly capture: readonly string[];
  readonly restore: readonly string[];
  /** Writes what `capture` would; without it nobody knows what an interrupted restore has done. */
  readonly observe?: readonly string[];
  readonly cwd?: string;
  readonly env: Readonly<Record<string, string | SecretRef>>;
  readonly user?: string;
  /** Of each program. */
  readonly timeoutMs: Millis;
  /** Longer content is refused. */
  readonly maxBytes: number;
};

/** What flags effectively are. It is decided, not read from the host: what places show is the flags' own affair. */
export type FlagsTarget = {
  readonly kind: 'flags';
  /** Only these flags; all if empty. */
  readonly only: readonly string[];
};

export type TrackedRef = { readonly remote: string; readonly ref: string; readonly intervalMs: Millis };

/** What a checkout shows. `tree` is the hash of its content, the same for an amended commit with the same content. */
export type CodeRevision = { readonly commit: string; readonly tree: string };

/** Where a restore goes: to a point, but for code also to a revision of git, which its `lastGood` is too. */
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

/** Whether it is a revision of git, for a checkout. */
export function isRevision({ kind }: RestorePoint): boolean {
  return kind === 'lastGood' || kind === 'revision';
}

/** What identifies a checkout's state in a point: the commit, and its content. */
export function revisionPrint({ commit, tree }: CodeRevision): string {
  return `${commit}/${tree}`;
}

/** What a checkout showed when it was captured. */
export function revisionOfPrint(fingerprint: string): CodeRevision {
  const [commit = '', tree = ''] = fingerprint.split('/');
  return { commit, tree };
}

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

/** Where it is: a path of the host, the first if it has several; an address; the program that captures it; a database's name; flags have none. */
export function pathOf({ type }: Pick<Target, 'type'>): string {
  switch (type.kind) {
    case 'git':
    case 'sqlite':
      return type.path;
    case 'files':
      return type.paths[0] ?? '';
    case 'postgres':
    case 'rows':
      return nameDatabase(type.database);
    case 'http':
      return type.url;
    case 'command':
      return type.capture[0] ?? '';
    case 'flags':
      return 'flags';
  }
}

/** The database that the target is, where it is one: what would be lost can be counted in it. */
export function databaseOf(type: Target['type']): SqlDatabase | undefined {
  switch (type.kind) {
    case 'git':
    case 'files':
    case 'http':
    case 'command':
    case 'flags':
      return undefined;
    case 'sqlite':
      return { kind: 'sqlite', path: type.path };
    case 'postgres':
    case 'rows':
      return type.database;
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
