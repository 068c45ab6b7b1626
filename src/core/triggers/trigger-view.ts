import type { Memory } from '../memory.ts';
import { formatThreshold, type Trigger, type TriggerKey } from '../model/trigger.ts';
import type { Millis } from '../units.ts';
import type { ElementMemory, TriggerMemory, TriggerState } from './trigger-memory.ts';

/** A state that was not renewed for so many intervals is unknown. */
export const STALE_INTERVALS = 3;

/** What is known of a trigger now: a state that is too old, or from before the daemon's start, counts as unknown. */
export type TriggerView = {
  readonly state: TriggerState;
  readonly memory: TriggerMemory | undefined;
  /** Whether the state rests on an evaluation that is recent enough. */
  readonly fresh: boolean;
};

export function viewTrigger(
  memory: Pick<Memory, 'triggers' | 'startedAt'>,
  key: TriggerKey,
  trigger: Trigger,
  now: Millis,
): TriggerView {
  const known = memory.triggers[key];
  if (known === undefined || known.digest !== trigger.digest) {
    return { state: 'unknown', memory: undefined, fresh: false };
  }
  const fresh = isRecent(memory, known, now);
  return { state: fresh ? known.state : 'unknown', memory: known, fresh };
}

/** The state of `viewTrigger` alone. Of a thousand triggers each decision asks for it several times. */
export function stateOfTrigger(
  memory: Pick<Memory, 'triggers' | 'startedAt'>,
  key: TriggerKey,
  trigger: Trigger,
  now: Millis,
): TriggerState {
  const known = memory.triggers[key];
  if (known === undefined || known.digest !== trigger.digest) return 'unknown';
  return isRecent(memory, known, now) ? known.state : 'unknown';
}

/** `fresh` of `viewTrigger` alone. */
export function isFreshTrigger(
  memory: Pick<Memory, 'triggers' | 'startedAt'>,
  key: TriggerKey,
  trigger: Trigger,
  now: Millis,
): boolean {
  const known = memory.triggers[key];
  return known !== undefined && known.digest === trigger.digest && isRecent(memory, known, now);
}

function isRecent({ startedAt }: Pick<Memory, 'startedAt'>, known: TriggerMemory, now: Millis): boolean {
  return startedAt !== null && known.at >= startedAt && now - known.at <= STALE_INTERVALS * known.intervalMs;
}

/** The element that matters most: a firing one before a pending one, the longest breached first. */
export function leadingElement(memory: TriggerMemory): ElementMemory | undefined {
  const rank = { firing: 0, pending: 1, inactive: 2 } as const;
  return Object.values(memory.elements).sort(
    (a, b) => rank[a.state] - rank[b.state] || a.breachedSince - b.breachedSince,
  )[0];
}

/** What the trigger is held against now, for people. */
export function shownThreshold(trigger: Trigger, memory: TriggerMemory | undefined): string {
  const resolved = memory?.threshold ?? null;
  if (trigger.threshold.kind !== 'baseline' || resolved === null) return formatThreshold(trigger.threshold);
  return `${formatThreshold(resolved)} (${trigger.threshold.factor} × its baseline)`;
}

/**
 * Evaluated since `since`, with data, over a covered window, and good. One that has data and waits for its first baseline
 * is good too: it cannot have fired, so nothing of it has to clear, and a host would have to wait for hours.
 */
export function isClearSince(view: TriggerView, since: Millis): boolean {
  const { memory } = view;
  return (
    view.fresh &&
    memory !== undefined &&
    memory.at >= since &&
    memory.covered &&
    ((memory.state === 'inactive' && memory.verdict === 'clear') || awaitsBaseline(memory))
  );
}

/** Once there was a baseline, its threshold is remembered, so this is never said of one that has lost it. */
export function awaitsBaseline({ state, verdict, threshold, value }: TriggerMemory): boolean {
  return state === 'unknown' && verdict === 'failed' && threshold === null && typeof value === 'number';
}
