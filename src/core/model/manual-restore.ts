import type { MergeReport, MergeSpec } from '../merge/merge-report.ts';
import type { Millis } from '../units.ts';
import type { PointId } from './point.ts';
import type { RowSelection } from './target.ts';

/** `RST-1`, `RST-2`, … on each host. */
export type RestoreId = string;

/**
 * A person puts targets back from a point, outside of any ladder: what is overwritten is kept first, then one target after
 * the other is restored. keeping → restoring → ended; it ends at the first target that fails.
 */
export type ManualRestore = {
  readonly id: RestoreId;
  readonly point: PointId;
  /** What is overwritten; it undoes the restore. */
  readonly safety: PointId;
  readonly targets: readonly string[];
  /** Only these paths within them; all if empty. */
  readonly paths: readonly string[];
  /** Of a database: only these rows. */
  readonly rows?: RowSelection;
  /** What the point has otherwise than the ancestor is merged into what is live. */
  readonly merge?: MergeSpec & { readonly ancestor: PointId };
  readonly by: string;
  readonly reason: string;
  readonly startedAt: Millis;
  /** By target, what became of it. */
  readonly outcomes: Readonly<Record<string, RestoreOutcome>>;
};

export type RestoreOutcome = {
  readonly outcome: 'done' | 'failed' | 'unknown';
  readonly detail: string;
  readonly merge?: MergeReport;
};

export function restoreObject(id: RestoreId): string {
  return `Restore/${id}`;
}
