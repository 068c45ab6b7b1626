import type { Millis } from '../units.ts';
import type { Origin } from './origin.ts';

/** When flags may move away from their safe variant, and targets to new revisions. Towards what is safe both always may. */
export type Window = {
  readonly name: string;
  readonly origin: Origin;
  readonly suspend: boolean;
  /** `deny`: not within it. `allow`: only within one of those that apply. */
  readonly type: 'allow' | 'deny';
  /** Five fields of cron, by the calendar of the time zone; each match begins a span. */
  readonly schedule: string;
  readonly durationMs: Millis;
  /** An IANA name. */
  readonly timezone: string;
  /** The flags that it is for; null: all. */
  readonly flags: readonly string[] | null;
  /** The targets that it is for; null: all. */
  readonly targets: readonly string[] | null;
};
