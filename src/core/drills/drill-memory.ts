import type { DrillMode, DrillResult, DrillRun } from '../model/drill.ts';
import type { Millis } from '../units.ts';

/** What is remembered of a drill. */
export type DrillMemory = {
  /** Schedule and time zone, as they were when instants began to count. */
  readonly schedule: string;
  /** Instants of the schedule up to this one are done with, or were never meant. */
  readonly handledUntil: Millis;
  /** The instant that a drill was begun for last: a clock that is set back may come by it again. */
  readonly handledDue: Millis | null;
  readonly run: DrillRun | null;
  readonly last: DrillResult | null;
  readonly lastSuccessAt: Millis | null;
  /** Of the last one that came to its end, by mode: what it took as a whole, and for each rung that was successful. */
  readonly measured: Readonly<Partial<Record<DrillMode, Measured>>>;
};

export type Measured = {
  readonly at: Millis;
  readonly policy: string;
  readonly durationMs: Millis;
  readonly rungs: Readonly<Record<string, Millis>>;
};
