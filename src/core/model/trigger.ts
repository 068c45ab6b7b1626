import { formatDuration, type Millis } from '../units.ts';
import type { Origin } from './origin.ts';

export type Threshold =
  | { readonly kind: 'above'; readonly value: number }
  | { readonly kind: 'below'; readonly value: number }
  | { readonly kind: 'outside'; readonly low: number; readonly high: number };

/** So many times what the trigger usually reads: the median of what it recorded over `overMs` while it was inactive. */
export type BaselineThreshold = {
  readonly kind: 'baseline';
  readonly side: 'above' | 'below';
  readonly factor: number;
  readonly overMs: Millis;
};

export type Trigger = {
  readonly name: string;
  readonly origin: Origin;
  /** Changes when the meaning of the trigger changes; a trigger with another digest starts anew. */
  readonly digest: string;
  readonly query: string;
  /** The `prometheus` source whose server evaluates the query; absent: revertd does, over its own samples. */
  readonly source?: string;
  readonly threshold: Threshold | BaselineThreshold;
  /** Breached time that must add up before the trigger fires. */
  readonly forMs: Millis;
  /** Hysteresis; without it whatever is not breached clears. */
  readonly clear?: { readonly threshold: Threshold; readonly forMs: Millis };
  readonly noData: 'hold' | 'fire' | 'clear';
  readonly severity: 'critical' | 'warning';
  /** People get so long to mend it; the ladder is walked only if it is not over by then. Makes a warning roll back, too. */
  readonly decision?: { readonly fixForwardMs: Millis };
  /** It watches whether something answers at all, so that many of its kind breaching at once is no sign of own trouble. */
  readonly watchesAbsence?: true;
  /** The rung that an incident opened by this trigger starts at. */
  readonly startAt?: string;
  /** How far back the query looks; nothing clears before so much has been seen since a start. */
  readonly windowMs: Millis;
};

/** A trigger in the whole of the policies: `POLICY/TRIGGER`. */
export type TriggerKey = string;

export function triggerKey(policy: string, trigger: string): TriggerKey {
  return `${policy}/${trigger}`;
}

/** The threshold in numbers; null for one over a baseline that is not known yet. */
export function resolveThreshold(threshold: Threshold | BaselineThreshold, baseline: number | null): Threshold | null {
  if (threshold.kind !== 'baseline') return threshold;
  return baseline === null ? null : { kind: threshold.side, value: threshold.factor * baseline };
}

export function formatThreshold(threshold: Threshold | BaselineThreshold): string {
  switch (threshold.kind) {
    case 'baseline':
      return `${threshold.side === 'above' ? '>' : '<'} ${threshold.factor} × its baseline over ${formatDuration(threshold.overMs)}`;
    case 'above':
      return `> ${shortNumber(threshold.value)}`;
    case 'below':
      return `< ${shortNumber(threshold.value)}`;
    case 'outside':
      return `outside ${threshold.low}…${threshold.high}`;
  }
}

/** A number with at most six significant digits, for people. */
export function shortNumber(value: number): string {
  return Number(value.toPrecision(6)).toString();
}

/** NaN is on no side of any threshold; callers treat it before they ask. */
export function isBeyond(threshold: Threshold, value: number): boolean {
  switch (threshold.kind) {
    case 'above':
      return value > threshold.value;
    case 'below':
      return value < threshold.value;
    case 'outside':
      return value < threshold.low || value > threshold.high;
  }
}
