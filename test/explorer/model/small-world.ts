import type { Person } from '../../../src/core/model/approval.ts';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { DocumentKey } from '../../../src/core/model/flag.ts';
import type { Point } from '../../../src/core/model/point.ts';
import type { TriggerKey } from '../../../src/core/model/trigger.ts';
import type { Millis } from '../../../src/core/units.ts';
import type { Move } from './move.ts';

/**
 * Time passes in ticks. One is longer than half of Prometheus' lookback, and than each delay after a failed write, so
 * that few ticks see the end of everything that ends by time.
 */
export const TICK_MS: Millis = 160_000;

/** What one evaluation gives; `down` is an empty result whose source did not deliver, `silent` no evaluation at all. */
export type ReadingKind = 'breached' | 'between' | 'clear' | 'nan' | 'empty' | 'down' | 'failed' | 'silent';

export type Weather = {
  readonly words: string;
  readonly readings: Readonly<Record<TriggerKey, ReadingKind>>;
  /** Counts as a disturbance when it begins; that it goes on does not. */
  readonly isFault: boolean;
};

/** The measure by which a loss is counted. */
export const LOSS_KEY = 'rows';

/** `tip` is the newest revision of what it tracks; null where it tracks nothing. */
export type Checkout = { readonly head: string; readonly tip: string | null };

/** A host so small that everything that may befall it can be tried. */
export type SmallWorld = {
  readonly name: string;
  readonly about: string;
  /** What git may say; the first one is in force at the beginning. */
  readonly revisions: readonly { readonly words: string; readonly desired: Desired }[];
  readonly files: Readonly<Record<DocumentKey, Readonly<Record<string, string>>>>;
  /** What checkouts show, by target; a revision is a name that stands for commit and content alike. */
  readonly checkouts: Readonly<Record<string, Checkout>>;
  readonly weathers: readonly Weather[];
  /** Evaluations so soon after a start do not cover the query's window yet. */
  readonly coverMs: Millis;
  /** The kinds of moves that may happen here, beside the passing of time and the end of operations. */
  readonly moves: ReadonlySet<Move['kind']>;
  /** How a step may end beside `done`. */
  readonly outcomes: readonly ('failed' | 'unknown')[];
  /** Variants that a person may set a flag to, and values that somebody may write into a file by hand. */
  readonly overrides: readonly { readonly flag: string; readonly variant: string; readonly ttlMs: Millis | null }[];
  readonly edits: readonly { readonly document: DocumentKey; readonly entry: string; readonly value: string | null }[];
  /** Revisions that somebody may push to what a target tracks, and that somebody may check out by hand. */
  readonly pushes: readonly { readonly target: string; readonly revision: string }[];
  readonly checkoutsByHand: readonly { readonly target: string; readonly revision: string }[];
  /** What would be lost, as it is counted; it may become more. */
  readonly losses: readonly number[];
  /** Points that there are in the beginning, which is at `now`. */
  readonly points: (now: Millis) => readonly Point[];
  /** Schedules, by their keys, that may come, so often together. */
  readonly schedules: readonly string[];
  readonly dues: number;
  /** Who may be asked for an approval. */
  readonly people: readonly Person[];
  /** Operations that touch nothing which a decision looks at: they end before anything else happens. */
  readonly prompt: ReadonlySet<'notify' | 'report' | 'keep'>;
  /** What a new life finds: the stored copy of memory, or only what the log holds. */
  readonly afterKill: 'copy' | 'log';
  /** A path ends where one incident more opens. */
  readonly incidents: number;
  /** How many disturbances a path may have. */
  readonly disturbances: number;
};
