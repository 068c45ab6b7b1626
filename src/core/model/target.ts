import type { Millis } from '../units.ts';
import type { Check } from './check.ts';
import type { Origin } from './origin.ts';
import type { SqlDatabase } from './sql-step.ts';
import type { Step } from './step.ts';

/** Something that can be put back as it was. */
export type Target = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  readonly type: GitTarget;
  /** Done around a restore; what stops a service is undone afterwards, whatever happens. */
  readonly quiesce: readonly Step[];
  /** True of a target that is intact. */
  readonly checks: readonly Check[];
};

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

export type TrackedRef = { readonly remote: string; readonly ref: string; readonly intervalMs: Millis };

/** What a checkout shows. `tree` is the hash of its content, the same for an amended commit with the same content. */
export type CodeRevision = { readonly commit: string; readonly tree: string };

/** Where a restore goes. */
export type RestorePoint = { readonly kind: 'lastGood' } | { readonly kind: 'revision'; readonly revision: string };

/** The database that the target is, where it is one: what would be lost can be counted in it. */
export function databaseOf({ kind }: Target['type']): SqlDatabase | undefined {
  switch (kind) {
    case 'git':
      return undefined;
  }
}

/** Whether there are captures of it; what git tracks has its revisions instead. */
export function isCaptured({ kind }: Target['type']): boolean {
  switch (kind) {
    case 'git':
      return false;
  }
}

export function targetObject(name: string): string {
  return `Target/${name}`;
}

/** Short enough for a line, long enough to be found again. */
export function shortCommit(commit: string): string {
  return commit.slice(0, 12);
}

export function describeRestorePoint(to: RestorePoint): string {
  switch (to.kind) {
    case 'lastGood':
      return 'its last good revision';
    case 'revision':
      return `revision ${to.revision}`;
  }
}
