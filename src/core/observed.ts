import type { CheckResult } from './model/check.ts';
import type { DocumentKey } from './model/flag.ts';
import type { MeasureResult } from './model/measure.ts';
import type { JsonValue } from './model/step.ts';
import type { CodeRevision } from './model/target.ts';
import type { TriggerKey } from './model/trigger.ts';
import type { Millis } from './units.ts';

/** What was seen of the world. Everything carries the time at which it was seen. */
export type Observed = {
  /** Evaluations since the last decision, in the order of their time. */
  readonly readings: readonly Reading[];
  /** The newest sight of each document that holds flags; a document that was never looked at is missing. */
  readonly documents: Readonly<Record<DocumentKey, DocumentSight>>;
  /** The newest result of each check that was asked for. */
  readonly checks: Readonly<Record<string, CheckResult>>;
  /** The newest result of each measure that was asked for. */
  readonly measures?: Readonly<Record<string, MeasureResult>>;
  /** The spans around now of each window of the policies; one that is missing is not known. */
  readonly windows?: Readonly<Record<string, readonly Span[]>>;
  /** The instants around now of each drill that has a schedule; one that is missing is not known. */
  readonly drills?: Readonly<Record<string, DueTimes>>;
  /** Of each schedule of the policies, its instants around now; one that is missing is not known. */
  readonly schedules?: Readonly<Record<string, DueTimes>>;
  readonly halt: Halt | null;
  /** The newest sight of each target; one that was never looked at is missing. */
  readonly targets: Readonly<Record<string, TargetSight>>;
};

/** From `from` on, and before `to`. */
export type Span = { readonly from: Millis; readonly to: Millis };

/** A schedule of the policies, for whoever knows calendars: five fields of cron, by the calendar of an IANA time zone. */
export type WantedSchedule = { readonly key: string; readonly schedule: string; readonly timezone: string };

/** Of a schedule: its newest instant up to now, and the next one after it; null where there is none. */
export type DueTimes = { readonly last: Millis | null; readonly next: Millis | null };

/** One evaluation of a trigger's query. */
export type Reading = {
  readonly trigger: TriggerKey;
  readonly at: Millis;
  /** The interval of the slowest source that the query reads. */
  readonly intervalMs: Millis;
  /** Whether samples reach back as far as the query looks; before, a clear result proves nothing. */
  readonly covered: boolean;
  /** What the trigger usually reads, for a threshold over a baseline; null while there is too little history. */
  readonly baseline?: number | null;
  /** Whether every source that the query reads delivered at its last turn. */
  readonly healthy: boolean;
  readonly result:
    | { readonly kind: 'elements'; readonly elements: readonly ReadingElement[] }
    | { readonly kind: 'failed'; readonly message: string };
};

/** `value` may be NaN or infinite; it is kept as text, which survives JSON: see `reading-value.ts`. */
export type ReadingElement = { readonly labels: Readonly<Record<string, string>>; readonly value: ReadingValue };

/** A number as JSON can hold it. */
export type ReadingValue = number | 'NaN' | '+Inf' | '-Inf';

export function toReadingValue(value: number): ReadingValue {
  if (Number.isFinite(value)) return value;
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? '+Inf' : '-Inf';
}

export function fromReadingValue(value: ReadingValue): number {
  switch (value) {
    case 'NaN':
      return Number.NaN;
    case '+Inf':
      return Number.POSITIVE_INFINITY;
    case '-Inf':
      return Number.NEGATIVE_INFINITY;
    default:
      return value;
  }
}

export type DocumentSight =
  | {
      readonly kind: 'read';
      readonly at: Millis;
      readonly exists: boolean;
      /** SHA-256 of the content. */
      readonly digest: string;
      /** What was looked for; of any other entry this sight says nothing. */
      readonly entries: readonly string[];
      /** By entry; one that was looked for and is not there is missing. */
      readonly values: Readonly<Record<string, JsonValue>>;
    }
  | { readonly kind: 'unreadable'; readonly at: Millis; readonly code: string; readonly message: string };

/** A person stopped all automatic action. */
export type Halt = { readonly since: Millis; readonly by: string; readonly reason: string };

export type TargetSight =
  | {
      readonly kind: 'git';
      readonly at: Millis;
      readonly head: CodeRevision;
      /** When the commit that it shows was made, by its own word; absent where that was not asked. */
      readonly committedAt?: Millis;
      /** Whether tracked files were changed and not committed. */
      readonly isDirty: boolean;
      /** The newest revision of what is tracked; null without `track`, and before it was first fetched. */
      readonly tip: (CodeRevision & { readonly subject: string }) | null;
      /** Why the tracked revision could not be fetched last. */
      readonly tipFault: string | null;
    }
  | {
      readonly kind: 'captured';
      readonly at: Millis;
      /** When the file system, or the server, says that it changed last, as far as one look tells; absent where none does. */
      readonly changedAt?: Millis;
    }
  | { readonly kind: 'unreadable'; readonly at: Millis; readonly code: string; readonly message: string };

export const NOTHING_OBSERVED: Observed = { readings: [], documents: {}, checks: {}, halt: null, targets: {} };
