import type { Event } from '../event.ts';
import type { Memory } from '../memory.ts';
import type { Action } from '../model/action.ts';
import type { Operation } from '../model/operation.ts';
import type { Origin } from '../model/origin.ts';
import type { Revision } from '../model/revision.ts';
import type { Millis } from '../units.ts';

/** What is decided: equal inputs give equal plans, and a plan that was applied leaves nothing to decide. */
export type Plan = {
  readonly revision: Revision;
  readonly at: Millis;
  /** To be stored, in this order and in one transaction with `memory`, before any operation begins. */
  readonly events: readonly Event[];
  /** What is to be done now. */
  readonly actions: readonly Action[];
  /** What would be done now as well, were it not for the halt: writes and what makes them effective. */
  readonly withheld: readonly Action[];
  /** The actions as they stand in the log, each with its identity. */
  readonly operations: readonly Operation[];
  /** What would follow, and on what condition. */
  readonly outlook: readonly Outlook[];
  readonly conditions: readonly Condition[];
  readonly memory: Memory;
  /** When to decide again at the latest, if nothing happens before; null: only when something happens. */
  readonly requeueAt: Millis | null;
  /** False while something that the decision rests on has not been seen yet. */
  readonly complete: boolean;
};

export type Outlook = {
  readonly object: string;
  /** After a time, or on a condition in words; with both, whichever is told by `after` at the earliest. */
  readonly afterMs?: Millis;
  readonly on?: string;
  readonly what: string;
  /** What would come after that. */
  readonly next: readonly string[];
  readonly origin?: Origin;
};

/** Something that people should know of the present state. */
export type Condition = {
  readonly type:
    | 'PolicyRefused'
    | 'SourceUnreachable'
    | 'ProjectionBehind'
    | 'Halted'
    | 'Held'
    | 'Asking'
    | 'AwaitingApproval'
    | 'FixingForward'
    | 'Windowed'
    | 'Braked'
    | 'TriggerUnknown'
    | 'DocumentUnreadable'
    | 'DeliveryFailing'
    | 'TakeUpOwed'
    | 'Drift'
    | 'TargetUnreadable'
    | 'FetchFailing'
    | 'MoveFailing'
    | 'ActivationOwed'
    | 'Quarantined'
    | 'PruneRefused'
    | 'PointFailed'
    | 'PointDamaged'
    | 'PointUnverified'
    | 'CollectionFailing'
    | 'CopyFailing'
    | 'DrillFailed'
    | 'DrillOverdue'
    | 'Suspended'
    | 'NotificationFailing';
  readonly object: string;
  readonly message: string;
  /** A person should look at it. */
  readonly needsAttention: boolean;
  readonly origin?: Origin;
};
