import type { MergeSpec } from '../merge/merge-report.ts';
import type { FlagState } from '../points/flag-state.ts';
import type { Millis } from '../units.ts';
import type { DrillMode, DrillRunId, PlannedRung } from './drill.ts';
import type { DocumentKey, DocumentRef, PlaceKey } from './flag.ts';
import type { IncidentId } from './incident.ts';
import type { RestoreId } from './manual-restore.ts';
import type { Notification } from './notification.ts';
import type { Origin } from './origin.ts';
import type { Point, PointId, Snapshot } from './point.ts';
import type { PointCopy, PointPolicy } from './point-policy.ts';
import type { JsonValue, Step } from './step.ts';
import type { RowSelection, Target } from './target.ts';

/** What is to be done now. */
export type Action = {
  /** Two actions with the same key are the same action. */
  readonly key: string;
  /** How the plan shows it: create, change, prune, rollback; a message or report changes nothing on the host. */
  readonly sign: '+' | '~' | '-' | '!' | '>';
  readonly reason: string;
  /** The rule that caused it; absent where no policy did. */
  readonly origin?: Origin;
  readonly losesData: boolean;
  /** Stable identities that must still hold when a saved plan is applied. */
  readonly preconditions: readonly string[];
} & ActionSpec;

export type ActionSpec =
  | DeliverAction
  | TakeUpAction
  | StepAction
  | RestoreAction
  | ActivateAction
  | KeepAction
  | CaptureAction
  | ValidateAction
  | CopyAction
  | CollectAction
  | RehearseAction
  | NotifyAction
  | ReportAction;

/** Writes flags into one document. */
export type DeliverAction = {
  readonly kind: 'deliver';
  readonly document: DocumentRef;
  readonly changes: readonly EntryChange[];
  /** Owed once the document is written. */
  readonly takeUp: readonly Step[];
};

export type EntryChange = {
  readonly flag: string;
  readonly place: PlaceKey;
  readonly entry: string;
  /** Absent: there is no such entry yet. */
  readonly before?: JsonValue;
  readonly after: JsonValue;
};

/** One of the steps that make a written document effective. */
export type TakeUpAction = {
  readonly kind: 'takeUp';
  readonly document: DocumentKey;
  readonly digest: string;
  readonly index: number;
  readonly step: Step;
};

/** A step of an incident's rung. */
export type StepAction = {
  readonly kind: 'step';
  readonly incident: IncidentId;
  readonly rung: string;
  readonly step: Step;
};

/** Moves a target to another state: a step of a rung, a new revision, or a repair. */
export type RestoreAction = {
  readonly kind: 'restore';
  readonly target: Target;
  /** Where it goes: a name or SHA that git knows; of a captured target the id of a point. */
  readonly to: string;
  /** What that point has of the target. */
  readonly snapshot?: Snapshot;
  readonly paths: readonly string[];
  readonly rows?: RowSelection;
  /** What the point has otherwise than the ancestor is merged into what is live. */
  readonly merge?: MergeSpec & { readonly ancestor: Snapshot };
  /** What is owed from when it begins: services that it stops are started again, whatever becomes of it. */
  readonly undo: readonly Step[];
  /** What is owed once it is done. */
  readonly activate: readonly Step[];
  readonly why: RestoreCause;
  readonly timeoutMs: Millis;
};

export type RestoreCause =
  | { readonly kind: 'rung'; readonly incident: IncidentId; readonly rung: string }
  | { readonly kind: 'deploy' }
  /** A person restores from a point. */
  | { readonly kind: 'command'; readonly restore: RestoreId }
  /** Somebody brought this tree back from quarantine. */
  | { readonly kind: 'repair'; readonly tree: string };

/** One of the steps that a target is still owed. */
export type ActivateAction = {
  readonly kind: 'activate';
  readonly target: string;
  readonly index: number;
  readonly step: Step;
};

/** Keeps good revisions from git's garbage collection, and lets go of others that were kept. */
export type KeepAction = { readonly kind: 'keep'; readonly target: Target; readonly commits: readonly string[] };

/** Captures targets into a point, one after the other. */
export type CaptureAction = {
  readonly kind: 'capture';
  readonly point: PointId;
  readonly targets: readonly Target[];
  /** Done before; what it stops is owed its start from when it begins. */
  readonly quiesce: readonly Step[];
  readonly undo: readonly { readonly target: string; readonly steps: readonly Step[] }[];
  /** By target, the newest intact one: what did not change since is not read again. */
  readonly previous: Readonly<Record<string, Snapshot>>;
  /** By target, what its flags are: that is known here, and nowhere on the host. */
  readonly flags?: Readonly<Record<string, FlagState>>;
  /** A damaged database is kept as what can be read of it. */
  readonly recover?: boolean;
  readonly compression: PointPolicy['compression'];
  readonly timeoutMs: Millis;
};

/** Reads a point's content again, and with `rehearse` restores it beside the live system. */
export type ValidateAction = {
  readonly kind: 'validate';
  readonly point: PointId;
  readonly snapshots: readonly Snapshot[];
  /** Those of them that the policies still have. */
  readonly targets: readonly Target[];
  readonly rehearse: boolean;
  readonly timeoutMs: Millis;
};

/** Writes a point into one file, and has a program copy that somewhere else. */
export type CopyAction = {
  readonly kind: 'copy';
  readonly point: Point;
  readonly copy: PointCopy;
};

/** Deletes content of the store that no point needs. */
export type CollectAction = { readonly kind: 'collect' };

/** Goes through rungs of a ladder, and touches nothing that is live. */
export type RehearseAction = {
  readonly kind: 'rehearse';
  readonly drill: string;
  readonly run: DrillRunId;
  readonly mode: DrillMode;
  readonly rungs: readonly PlannedRung[];
};

export type NotifyAction = { readonly kind: 'notify'; readonly notifier: string; readonly notification: Notification };

export type ReportAction = { readonly kind: 'report'; readonly incident: IncidentId };
