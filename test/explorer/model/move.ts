import type { IncidentAnswer } from '../../../src/core/model/incident.ts';
import type { OperationOutcome } from '../../../src/core/model/operation.ts';

/**
 * One thing that may happen to a host; the daemon decides after each. Positions count what memory holds at that moment.
 * With `killed` the daemon dies after it has been logged and before anything is decided about it.
 */
export type Move =
  /** Time passes, and every trigger is evaluated. */
  | { readonly kind: 'tick'; readonly weather: number }
  /** An operation under way has begun; from here on a restore may have stopped services. */
  | { readonly kind: 'begin'; readonly operation: number }
  /** An operation under way ends; `effect` says whether the host was changed by it. */
  | {
      readonly kind: 'finish';
      readonly operation: number;
      readonly outcome: Exclude<OperationOutcome, 'notDone'>;
      readonly effect: boolean;
      readonly killed: boolean;
    }
  /** The daemon dies and starts anew; of the operations under way at most one had begun. */
  | { readonly kind: 'kill'; readonly begun: { readonly operation: number; readonly effect: boolean } | null }
  /** The daemon dies, and the clock is set back before it starts. */
  | { readonly kind: 'killAndSetBack' }
  /** The clock is set back under the running daemon. */
  | { readonly kind: 'setBack' }
  | { readonly kind: 'halt' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'commit'; readonly revision: number }
  | { readonly kind: 'override'; readonly override: number }
  | { readonly kind: 'lift'; readonly hold: number }
  | { readonly kind: 'adopt' }
  | { readonly kind: 'abort'; readonly incident: number }
  | {
      readonly kind: 'answer';
      readonly incident: number;
      readonly answer: IncidentAnswer;
      readonly killed: boolean;
    }
  | { readonly kind: 'approve'; readonly incident: number; readonly person: number }
  | { readonly kind: 'reject'; readonly incident: number; readonly person: number }
  /** More would be lost than before. */
  | { readonly kind: 'grow' }
  | { readonly kind: 'due'; readonly schedule: number }
  /** A person has all points read again, pins the oldest one, restores the newest one, or prunes against the brake. */
  | { readonly kind: 'verify' | 'pin' | 'putBack' | 'prune' }
  | { readonly kind: 'edit'; readonly edit: number }
  | { readonly kind: 'push'; readonly push: number }
  | { readonly kind: 'checkout'; readonly checkout: number }
  /** Documents and checkouts can no longer be read, or can be read again. */
  | { readonly kind: 'hide' }
  | { readonly kind: 'show' };
