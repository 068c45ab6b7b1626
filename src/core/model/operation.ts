import type { Millis } from '../units.ts';
import type { Action } from './action.ts';
import type { JsonValue } from './step.ts';

/** The action's key and a number: `INC-1/flags/do/0#7`. */
export type OperationId = string;

/**
 * planned → running → finished (done | failed | unknown | notDone).
 * A planned one has had no effect yet; a running one may have. The fingerprint was taken before the effect began.
 */
export type Operation = {
  readonly id: OperationId;
  readonly action: Action;
  readonly plannedAt: Millis;
  readonly state: 'planned' | 'running';
  readonly fingerprint: JsonValue;
  /** The operation that a crash hid the outcome of and that this one does again; the first of them, if there were several. */
  readonly repeats?: FirstAttempt;
};

export type FirstAttempt = { readonly id: OperationId; readonly plannedAt: Millis };

/** What stays the same however often a crash has the same thing done again, and is another one when it is done anew. */
export function firstAttempt({ id, plannedAt, repeats }: Operation): FirstAttempt {
  return repeats ?? { id, plannedAt };
}

/** `notDone`: the daemon died before the effect began; the action is decided anew. */
export type OperationOutcome = 'done' | 'failed' | 'unknown' | 'notDone';

/** `number` is the next one that memory gives. */
export function plannedOperation(
  action: Action,
  {
    number,
    at,
    repeats,
  }: { readonly number: number; readonly at: Millis; readonly repeats?: FirstAttempt | undefined },
): Operation {
  const planned: Operation = {
    id: `${action.key}#${number}`,
    action,
    plannedAt: at,
    state: 'planned',
    fingerprint: null,
  };
  return repeats === undefined ? planned : { ...planned, repeats };
}
