import type { Threshold } from '../model/trigger.ts';
import type { ReadingValue } from '../observed.ts';
import type { Millis } from '../units.ts';

export type TriggerState = 'inactive' | 'pending' | 'firing' | 'unknown';

/** What one evaluation said. `between`: neither beyond the threshold nor, with hysteresis, clear. */
export type Verdict = 'breached' | 'between' | 'clear' | 'noData' | 'nan' | 'failed';

export type TriggerMemory = {
  /** Of the trigger that this is the memory of; another digest starts anew. */
  readonly digest: string;
  readonly state: TriggerState;
  readonly since: Millis;
  /** The last evaluation: when, what it said, and the value that mattered most. */
  readonly at: Millis;
  readonly verdict: Verdict;
  readonly value: ReadingValue | null;
  /** What the last evaluation was held against; null while a baseline is not known. */
  readonly threshold: Threshold | null;
  readonly intervalMs: Millis;
  readonly covered: boolean;
  readonly message: string | null;
  readonly elements: Readonly<Record<string, ElementMemory>>;
};

/** One element of the query's result, keyed by its labels. */
export type ElementMemory = {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly since: Millis;
  /** Breached time so far, while pending; clear time so far, while firing. */
  readonly accumulatedMs: Millis;
  /** The last evaluation that added to it; null when none did. */
  readonly accumulatedAt: Millis | null;
  readonly breachedSince: Millis;
  readonly value: ReadingValue | null;
  /** When the element was last in a result, moved on by the time in which it could not have been. */
  readonly seenAt: Millis;
};
