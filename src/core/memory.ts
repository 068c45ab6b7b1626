import type { DrillMemory } from './drills/drill-memory.ts';
import type { DocumentKey, PlaceKey } from './model/flag.ts';
import type { Hold, HoldId } from './model/hold.ts';
import type { Incident, IncidentId } from './model/incident.ts';
import type { ManualRestore, RestoreId } from './model/manual-restore.ts';
import type { Notification } from './model/notification.ts';
import type { FirstAttempt, Operation, OperationId } from './model/operation.ts';
import type { Point, PointId } from './model/point.ts';
import type { Revision } from './model/revision.ts';
import type { Step } from './model/step.ts';
import type { CodeRevision } from './model/target.ts';
import type { TriggerKey } from './model/trigger.ts';
import type { Halt } from './observed.ts';
import type { TriggerMemory } from './triggers/trigger-memory.ts';
import type { Millis } from './units.ts';

/**
 * What revertd remembers: a fold of the event log (`evolve.ts`), and nothing else. Plain data; keys are sorted nowhere
 * and mean nothing by their order.
 */
export type Memory = {
  readonly revision: Revision | null;
  /** When the running daemon started; evaluations from before it are history, not evidence. */
  readonly startedAt: Millis | null;
  readonly halt: NoticedHalt | null;
  readonly triggers: Readonly<Record<TriggerKey, TriggerMemory>>;
  /** When trigger states were last written down while they were moving. */
  readonly triggersRecordedAt: Millis;
  /** Places that revertd may write: adopted, or written by it before. */
  readonly places: Readonly<Record<PlaceKey, PlaceMemory>>;
  readonly documents: Readonly<Record<DocumentKey, DocumentMemory>>;
  /** Of targets whose state revertd follows. */
  readonly targets: Readonly<Record<string, TargetMemory>>;
  /** Rollback points that are not deleted yet. */
  readonly points: Readonly<Record<PointId, Point>>;
  /** Up to when each schedule was served; what it asked for later is due. */
  readonly schedules: Readonly<Record<string, ServedSchedule>>;
  /** By PointPolicy: the run that it would do, and that is more than it allows at once. */
  readonly pruneRefusals: Readonly<Record<string, PruneRefusal>>;
  /** The content store may hold what no point needs; null when it does not. */
  readonly collection: (Retry & { readonly message?: string }) | null;
  /** Restores by hand that are under way. */
  readonly restores: Readonly<Record<RestoreId, ManualRestore>>;
  readonly holds: Readonly<Record<HoldId, Hold>>;
  /** Open incidents; a closed one stays until the latches that it placed are lifted. */
  readonly incidents: Readonly<Record<IncidentId, Incident>>;
  /** What cooldown and limit count: ended and open incidents that executed a rung. */
  readonly rollbacks: readonly RollbackRecord[];
  /** Policies that fire but may not act, and why; so that each refusal is said once. */
  readonly brakes: Readonly<Record<string, BrakeMemory>>;
  /** How long the steps of each rung (`POLICY/RUNG`) took when it was walked, the newest last. */
  readonly durations: Readonly<Record<string, readonly Millis[]>>;
  /** When each sampler was last in trouble of its own: `OWN_SAMPLER`, or a `prometheus` source. */
  readonly troubles: Readonly<Record<string, Millis>>;
  /** Flags whose move away from the safe state waits for a window; so that each refusal is said once. */
  readonly windowed: Readonly<Record<string, { readonly window: string; readonly variant: string }>>;
  /** Of each drill in git. Absent in what an older version remembered. */
  readonly drills?: Readonly<Record<string, DrillMemory>>;
  /** Planned or running. */
  readonly operations: Readonly<Record<OperationId, Operation>>;
  /**
   * By an action's key: the first of the operations that a crash ended before their effect was sure, as long as it is to
   * be done again. Absent in what an older version remembered.
   */
  readonly repeats?: Readonly<Record<string, FirstAttempt>>;
  readonly outbox: Readonly<Record<string, OutboxEntry>>;
  /** By notifier. Absent in what an older version remembered. */
  readonly paces?: Readonly<Record<string, Pace>>;
  /** Closed incidents whose report is still to be written. */
  readonly reportsOwed: Readonly<Record<IncidentId, Retry>>;
  readonly nextIncident: number;
  readonly nextOperation: number;
  readonly nextRestore: number;
};

/** Deadlines stand still from when it was noticed. */
export type NoticedHalt = Halt & { readonly noticedAt: Millis };

export type PlaceMemory = {
  /** What was last delivered or adopted, as the document shows it; drift is a difference from this. */
  readonly delivered: string | null;
  /** Somebody else's value that was seen last and said so; null when there is none. */
  readonly drift: string | null;
  /** How often in a row it was set back, and when it is next; absent where it never was. */
  readonly repairs?: Retry & { readonly lastAt: Millis };
};

export type DocumentMemory = {
  /** An older sight than this is out of date. */
  readonly writtenAt: Millis;
  /** What is to be done until the content written last is effective; null when nothing is owed. */
  readonly owed: Owed | null;
  /** The write that failed last; another one is not made to wait for it. */
  readonly failing: (Retry & { readonly key: string; readonly message: string }) | null;
};

export type TargetMemory = {
  /** Whether it was once compared with what it tracks: a difference from before that is not for revertd to mend unasked. */
  readonly isMet: boolean;
  /** Null until it was first looked at. */
  readonly current: EffectiveRevision | null;
  /** Newest first. */
  readonly good: readonly GoodRevision[];
  /** The tree of the last move that ended well, so that it is told apart from what others do; null before the first. */
  readonly arrived: string | null;
  /** What a restore began or ended with, and is still to be done: services started again, the new state activated. */
  readonly owed: OwedSteps | null;
  /** The restore that failed last without an incident; another one is not made to wait for it. */
  readonly failing: (Retry & { readonly key: string; readonly message: string }) | null;
  /** A whole move was begun and not ended, perhaps because it was broken off: what is shown may be there in part only. */
  readonly isMidway?: boolean;
  /** Trees that somebody brought back from quarantine and that were put away again: once each. */
  readonly repaired: readonly string[];
  /** Commits that are kept from git's garbage collection. */
  readonly kept: readonly string[];
  /** Keeping others failed; null when it did not. */
  readonly keepRetry: Retry | null;
  /** A new revision that waits for a window, so that it is said once; absent or null when none does. */
  readonly withheld?: { readonly window: string; readonly commit: string } | null;
};

/** What a target is at. `calmSince`: nothing that names the target is the matter, with data; null while something is. */
export type EffectiveRevision = CodeRevision & {
  readonly since: Millis;
  readonly calmSince: Millis | null;
  readonly isGood: boolean;
  /** It was there when the target was first looked at: since when, nobody saw. */
  readonly isFirst?: true;
};

export type GoodRevision = CodeRevision & { readonly at: Millis };

/** A schedule with another expression is another schedule. */
export type ServedSchedule = { readonly at: Millis; readonly expression: string };

export type PruneRefusal = {
  readonly points: readonly PointId[];
  /** Of how many points of the policy. */
  readonly of: number;
  readonly maxFraction: number;
  readonly at: Millis;
};

export type OwedSteps = {
  readonly steps: readonly Step[];
  readonly done: number;
  readonly retry: (Retry & { readonly message: string }) | null;
};

export type Owed = {
  /** SHA-256 of the content that is to be taken up. */
  readonly digest: string;
  readonly steps: readonly Step[];
  /** The places whose new values wait for it: their `then`, as git has it now, is what is owed. */
  readonly places: readonly PlaceKey[];
  /** How many of them are done. */
  readonly done: number;
  readonly retry: (Retry & { readonly message: string }) | null;
};

/** A thing that failed so many times in a row, and when it is tried again. */
export type Retry = { readonly attempts: number; readonly retryAt: Millis };

export type RollbackRecord = {
  readonly incident: IncidentId;
  readonly policy: string;
  readonly conflictSet: readonly string[];
  /** How long its own policy leaves the conflict set alone afterwards. */
  readonly cooldownMs: Millis;
  /** False if a person ended it before anything was done: it only keeps another one from mending again at once. */
  readonly acted: boolean;
  readonly at: Millis;
  /** Null while the incident is open. */
  readonly endedAt: Millis | null;
};

/** `correlated`: most triggers of a sampler breach at once, just after it was in trouble itself. */
export type Brake = {
  readonly kind: 'cooldown' | 'limit' | 'correlated';
  readonly until: Millis;
  readonly reason: string;
};

/** `quiet`: the policy has stopped firing, but the brake still holds; should it fire again, that is nothing new. */
export type BrakeMemory = Brake & { readonly quiet?: true };

/** The sampler of all sources that revertd samples itself. */
export const OWN_SAMPLER = 'own';

export type OutboxEntry = {
  readonly notifier: string;
  readonly notification: Notification;
  readonly queuedAt: Millis;
} & Retry;

/** How much a notifier was sent within the minute that began at `since`, and until when it wants nothing. */
export type Pace = { readonly since: Millis; readonly sent: number; readonly closedUntil: Millis };

export const EMPTY_MEMORY: Memory = {
  revision: null,
  startedAt: null,
  halt: null,
  triggers: {},
  triggersRecordedAt: 0,
  places: {},
  documents: {},
  targets: {},
  points: {},
  schedules: {},
  pruneRefusals: {},
  collection: null,
  restores: {},
  holds: {},
  incidents: {},
  rollbacks: [],
  brakes: {},
  durations: {},
  troubles: {},
  windowed: {},
  drills: {},
  operations: {},
  repeats: {},
  outbox: {},
  paces: {},
  reportsOwed: {},
  nextIncident: 1,
  nextOperation: 1,
  nextRestore: 1,
};
