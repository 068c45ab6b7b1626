import type { Brake } from './memory.ts';
import type { MergeReport } from './merge/merge-report.ts';
import type { ApprovalRequest, GivenApproval } from './model/approval.ts';
import { type DrillResult, type DrillRun, type DrillRunId, drillObject, type RehearsedItem } from './model/drill.ts';
import type { DocumentKey, PlaceKey } from './model/flag.ts';
import type { Hold, HoldId } from './model/hold.ts';
import type {
  Incident,
  IncidentAnswer,
  IncidentCause,
  IncidentId,
  IncidentOutcome,
  JoinedPolicy,
  StepOutcome,
} from './model/incident.ts';
import type { Notification } from './model/notification.ts';
import type { Operation, OperationId, OperationOutcome } from './model/operation.ts';
import { pointObject, type Snapshot } from './model/point.ts';
import type { Revision } from './model/revision.ts';
import type { JsonValue, Step } from './model/step.ts';
import { type CodeRevision, targetObject } from './model/target.ts';
import type { TriggerKey } from './model/trigger.ts';
import type { Halt } from './observed.ts';
import { type PointEvent, subjectsOfPointEvent } from './points/point-event.ts';
import type { TriggerMemory, TriggerState } from './triggers/trigger-memory.ts';
import type { Millis } from './units.ts';

/** Everything that happened or was refused. `at` is the host's time; who did it is the actor of the log's record. */
export type Event = { readonly at: Millis } & EventSpec;

export type EventType = EventSpec['type'];

export type EventSpec =
  | DaemonEvent
  | SourceEvent
  | TriggerEvent
  | IncidentEvent
  | ApprovalEvent
  | WindowEvent
  | HoldEvent
  | PlaceEvent
  | TargetEvent
  | PointEvent
  | DrillEvent
  | OperationEvent
  | NotificationEvent;

export type DaemonEvent =
  | { readonly type: 'daemon.started'; readonly version: string; readonly host: string; readonly pid: number }
  | { readonly type: 'daemon.stopped'; readonly reason: string }
  /** The clock was set: every remembered instant moves with it. */
  | { readonly type: 'clock.jumped'; readonly byMs: Millis }
  | { readonly type: 'halt.began'; readonly halt: Halt }
  | { readonly type: 'halt.ended'; readonly lastedMs: Millis }
  /** A person took the halt away; `halt.ended` follows when that is noticed. */
  | { readonly type: 'halt.lifted' }
  /** The store is a backup's from here on. `seq` was the last event of the backup. */
  | {
      readonly type: 'store.restored';
      readonly file: string;
      /** Of the host that the backup is of, and when it was taken. */
      readonly host: string;
      readonly takenAt: Millis;
      readonly seq: number;
    };

export type SourceEvent =
  | {
      readonly type: 'revision.accepted';
      readonly revision: Revision;
      readonly previous: Revision | null;
      readonly subject: string | null;
      readonly author: string | null;
      readonly warnings: readonly string[];
    }
  | {
      readonly type: 'revision.refused';
      readonly revision: Revision | null;
      readonly code: string;
      readonly message: string;
      readonly diagnostics: readonly string[];
    }
  | { readonly type: 'source.unreachable'; readonly code: string; readonly message: string }
  | { readonly type: 'source.recovered' }
  /** A person accepts rewritten history or an emptied folder. */
  | { readonly type: 'source.consented'; readonly revision: Revision };

export type TriggerEvent =
  | {
      readonly type: 'trigger.changed';
      readonly trigger: TriggerKey;
      readonly from: TriggerState;
      readonly to: TriggerState;
      readonly memory: TriggerMemory;
    }
  /** Accumulated times, written down now and then while they move. */
  | { readonly type: 'triggers.recorded'; readonly triggers: Readonly<Record<TriggerKey, TriggerMemory>> }
  | { readonly type: 'triggers.forgotten'; readonly triggers: readonly TriggerKey[] }
  /** The sampler itself was in trouble, so that what it shows just after may be its own doing; see `correlated.ts`. */
  | { readonly type: 'sampling.troubled'; readonly sampler: string; readonly reason: string };

export type IncidentEvent =
  | { readonly type: 'incident.opened'; readonly incident: Incident }
  | { readonly type: 'incident.joined'; readonly incident: IncidentId; readonly joined: JoinedPolicy }
  /** `again`: it was said before, and had only stopped firing meanwhile. */
  | { readonly type: 'policy.braked'; readonly policy: string; readonly brake: Brake; readonly again?: true }
  /** `gone`: git no longer has the policy, or suspends it. */
  | { readonly type: 'policy.unbraked'; readonly policy: string; readonly gone?: true }
  /** A person had it act all the same. */
  | {
      readonly type: 'brake.overridden';
      readonly policy: string;
      readonly brake: Brake;
      readonly actor: string;
      readonly reason: string;
    }
  /** Git suspends the policy of an open incident, or no longer does: meanwhile nothing is done and no deadline passes. */
  | { readonly type: 'incident.paused'; readonly incident: IncidentId }
  | { readonly type: 'incident.unpaused'; readonly incident: IncidentId; readonly lastedMs: Millis }
  /** Another trigger fires while people mend what the first one showed. */
  | {
      readonly type: 'fixForward.worsened';
      readonly incident: IncidentId;
      readonly openedBy: readonly IncidentCause[];
      readonly deadlineAt: Millis;
    }
  | { readonly type: 'fixForward.ended'; readonly incident: IncidentId; readonly rung: number; readonly reason: string }
  | { readonly type: 'rung.entered'; readonly incident: IncidentId; readonly rung: number; readonly name: string }
  | {
      readonly type: 'rung.skipped';
      readonly incident: IncidentId;
      readonly rung: number;
      readonly name: string;
      readonly reason: string;
      /** Skipped for want of knowledge. */
      readonly unsure?: true;
    }
  | {
      readonly type: 'rung.failed';
      readonly incident: IncidentId;
      readonly rung: number;
      readonly name: string;
      readonly reason: string;
      /** It is not known to have failed; the policy goes on all the same. */
      readonly unsure?: true;
    }
  | {
      readonly type: 'step.skipped';
      readonly incident: IncidentId;
      readonly step: number;
      readonly summary: string;
      readonly reason: string;
    }
  | {
      readonly type: 'step.started';
      readonly incident: IncidentId;
      readonly step: number;
      readonly summary: string;
      /** Of a restore. */
      readonly destination?: string;
    }
  /** A restore is effective; whether its target is intact is asked of the target's own checks. */
  | { readonly type: 'restore.checking'; readonly incident: IncidentId; readonly step: number; readonly target: string }
  | {
      readonly type: 'step.finished';
      readonly incident: IncidentId;
      readonly step: number;
      readonly summary: string;
      readonly result: StepOutcome;
    }
  | {
      readonly type: 'verification.started';
      readonly incident: IncidentId;
      readonly rung: number;
      readonly settleAt: Millis;
      readonly deadlineAt: Millis;
      /** A step failed, and meanwhile all triggers have become clear. */
      readonly afterStep?: true;
    }
  /** Success began, or was interrupted before it had lasted long enough. */
  | {
      readonly type: 'verification.turned';
      readonly incident: IncidentId;
      readonly good: boolean;
      readonly reasons: readonly string[];
    }
  | {
      readonly type: 'verification.ended';
      readonly incident: IncidentId;
      readonly rung: number;
      readonly outcome: 'successful' | 'failed' | 'inconclusive';
      readonly reasons: readonly string[];
    }
  /** `everybody`: all notifiers are told, not only those of the policy. */
  | {
      readonly type: 'incident.asked';
      readonly incident: IncidentId;
      readonly reason: string;
      readonly everybody?: true;
    }
  | {
      readonly type: 'incident.answered';
      readonly incident: IncidentId;
      readonly answer: IncidentAnswer;
      readonly actor: string;
    }
  | {
      readonly type: 'incident.closed';
      readonly incident: IncidentId;
      readonly outcome: IncidentOutcome;
      readonly reason: string;
      /** A person ended it. */
      readonly byHand?: true;
    }
  /** It is open for so long that the next level of people hears of it; levels count from 1. */
  | {
      readonly type: 'incident.escalated';
      readonly incident: IncidentId;
      readonly level: number;
      readonly afterMs: Millis;
      readonly notify: readonly string[];
    }
  /** Time to tell how it stands. After a pause the numbers between are left out. */
  | { readonly type: 'incident.updated'; readonly incident: IncidentId; readonly number: number }
  /** Receivers that forget an alert which nobody repeats are told that it goes on. */
  | { readonly type: 'incident.realerted'; readonly incident: IncidentId; readonly notify: readonly string[] }
  | { readonly type: 'incident.forgotten'; readonly incident: IncidentId };

export type ApprovalEvent =
  /** The rung waits for people; what they are asked follows as soon as the loss is counted. */
  | {
      readonly type: 'approval.awaited';
      readonly incident: IncidentId;
      readonly rung: number;
      readonly name: string;
      readonly deadlineAt: Millis;
    }
  /** `previous`: what was asked before has changed, and what was given for it is void. */
  | {
      readonly type: 'approval.requested';
      readonly incident: IncidentId;
      readonly request: ApprovalRequest;
      readonly previous?: string;
    }
  | {
      readonly type: 'approval.given';
      readonly incident: IncidentId;
      readonly digest: string;
      readonly approval: GivenApproval;
    }
  /** One person decided alone, as the policy allows while `because` holds. */
  | {
      readonly type: 'approval.overridden';
      readonly incident: IncidentId;
      readonly digest: string;
      readonly approval: GivenApproval;
      readonly because: readonly string[];
      readonly notify: readonly string[];
    }
  | {
      readonly type: 'approval.rejected';
      readonly incident: IncidentId;
      readonly rung: number;
      readonly name: string;
      readonly approval: GivenApproval;
    }
  | {
      readonly type: 'approval.expired';
      readonly incident: IncidentId;
      readonly name: string;
      readonly missing: string;
    };

export type WindowEvent =
  /** A move away from the safe state waits for a window. */
  | {
      readonly type: 'window.withheld';
      readonly flag: string;
      readonly window: string;
      readonly variant: string;
      readonly until: Millis | null;
    }
  | { readonly type: 'window.passed'; readonly flag: string };

export type HoldEvent =
  | { readonly type: 'hold.placed'; readonly hold: Hold }
  | { readonly type: 'hold.lifted'; readonly id: HoldId; readonly object: string; readonly reason: string };

export type PlaceEvent =
  | { readonly type: 'place.adopted'; readonly place: PlaceKey; readonly flag: string; readonly live: string | null }
  | { readonly type: 'place.released'; readonly place: PlaceKey; readonly reason: string }
  | {
      readonly type: 'drift.seen';
      readonly place: PlaceKey;
      readonly flag: string;
      readonly expected: string;
      readonly found: string | null;
      readonly repair: boolean;
      /** When it is set back, where that was done so often that it waits. */
      readonly repairAt?: Millis;
    }
  | { readonly type: 'drift.gone'; readonly place: PlaceKey; readonly flag: string }
  /** A write that failed is not needed any more. */
  | { readonly type: 'delivery.settled'; readonly document: DocumentKey }
  /** Git changed the `then` of content that was written and not taken up yet. */
  | { readonly type: 'takeUp.revised'; readonly document: DocumentKey; readonly steps: readonly Step[] }
  /** No flag is written there any more. */
  | { readonly type: 'document.forgotten'; readonly document: DocumentKey };

export type TargetEvent =
  /** It shows other content than before, or was looked at for the first time. */
  | {
      readonly type: 'target.moved';
      readonly target: string;
      readonly from: CodeRevision | null;
      readonly to: CodeRevision;
      readonly by: 'revertd' | 'others';
    }
  /** It was compared with what it tracks for the first time. */
  | { readonly type: 'target.met'; readonly target: string }
  /** Whether something that names the target is the matter; a revision becomes good only in calm. */
  | { readonly type: 'target.calmed'; readonly target: string }
  | { readonly type: 'target.disturbed'; readonly target: string; readonly reason: string }
  | { readonly type: 'target.good'; readonly target: string; readonly revision: CodeRevision }
  /** A restore that failed is not needed any more. */
  | { readonly type: 'target.settled'; readonly target: string }
  /** A new revision of what it tracks waits for a window. */
  | {
      readonly type: 'target.withheld';
      readonly target: string;
      readonly commit: string;
      readonly window: string;
      readonly until: Millis | null;
    }
  | { readonly type: 'target.allowed'; readonly target: string }
  | { readonly type: 'target.released'; readonly target: string; readonly reason: string };

export type DrillEvent =
  /** Its schedule is new, was changed, or was suspended or taken up: instants count from now on. */
  | { readonly type: 'drill.met'; readonly drill: string; readonly schedule: string }
  | { readonly type: 'drill.started'; readonly drill: string; readonly run: DrillRun }
  /** One step or check was gone through. */
  | {
      readonly type: 'drill.rehearsed';
      readonly drill: string;
      readonly run: DrillRunId;
      readonly rung: string;
      readonly item: RehearsedItem;
    }
  | { readonly type: 'drill.ended'; readonly drill: string; readonly result: DrillResult }
  /** Git no longer has it. */
  | { readonly type: 'drill.forgotten'; readonly drill: string };

export type OperationEvent =
  | { readonly type: 'operation.planned'; readonly operation: Operation }
  | { readonly type: 'operation.running'; readonly id: OperationId; readonly fingerprint: JsonValue }
  | {
      readonly type: 'operation.finished';
      readonly id: OperationId;
      readonly outcome: OperationOutcome;
      readonly detail: string;
      /** SHA-256 of the content that was written, for `deliver`; the tree that a target is at, for `restore`. */
      readonly digest?: string;
      /** What became of the conflicts, for a `restore` that merges. */
      readonly merge?: MergeReport;
      /** What was captured, for `capture`. */
      readonly snapshots?: readonly Snapshot[];
      /** A failure that no repetition can mend. */
      readonly final?: boolean;
      /** A receiver asked to be left alone for so long. */
      readonly retryAfterMs?: Millis;
      readonly durationMs: Millis;
    };

export type NotificationEvent =
  | {
      readonly type: 'notification.queued';
      readonly notifiers: readonly string[];
      readonly notification: Notification;
    }
  | { readonly type: 'notification.dropped'; readonly key: string; readonly reason: string }
  /** The report of a closed incident is there to be read. */
  | { readonly type: 'report.written'; readonly incident: IncidentId; readonly path: string };

/** Who is affected, for finding an object's history. */
export function subjectsOf(event: EventSpec): string[] {
  switch (event.type) {
    case 'hold.placed':
      return [event.hold.object, ...('incident' in event.hold ? [`Incident/${event.hold.incident}`] : [])];
    case 'hold.lifted':
      return [event.object];
    case 'window.withheld':
    case 'window.passed':
    case 'place.adopted':
    case 'drift.seen':
    case 'drift.gone':
      return [`Flag/${event.flag}`];
    case 'place.released':
      return [documentOfPlace(event.place)];
    case 'delivery.settled':
    case 'takeUp.revised':
    case 'document.forgotten':
      return [event.document];
    case 'target.met':
    case 'target.moved':
    case 'target.calmed':
    case 'target.disturbed':
    case 'target.good':
    case 'target.settled':
    case 'target.withheld':
    case 'target.allowed':
    case 'target.released':
      return [targetObject(event.target)];
    case 'drill.met':
    case 'drill.started':
    case 'drill.rehearsed':
    case 'drill.ended':
    case 'drill.forgotten':
      return [drillObject(event.drill)];
    case 'point.begun':
    case 'point.imported':
    case 'point.dropped':
    case 'point.cancelled':
    case 'points.verifyAsked':
    case 'point.pinned':
    case 'point.unpinned':
    case 'points.pruned':
    case 'point.undeleted':
    case 'points.deleted':
    case 'points.pruneRefused':
    case 'points.pruneSettled':
    case 'restore.begun':
    case 'restore.flagsSettled':
    case 'restore.ended':
    case 'schedule.met':
    case 'schedule.served':
    case 'schedule.forgotten':
      return subjectsOfPointEvent(event);
    case 'trigger.changed':
      return [`RollbackPolicy/${event.trigger.slice(0, event.trigger.lastIndexOf('/'))}`];
    case 'incident.opened':
      return [`Incident/${event.incident.id}`, `RollbackPolicy/${event.incident.policy.name}`];
    case 'incident.joined':
      return [`Incident/${event.incident}`, `RollbackPolicy/${event.joined.policy.name}`];
    case 'policy.braked':
    case 'policy.unbraked':
    case 'brake.overridden':
      return [`RollbackPolicy/${event.policy}`];
    case 'incident.paused':
    case 'incident.unpaused':
    case 'fixForward.worsened':
    case 'fixForward.ended':
    case 'approval.awaited':
    case 'approval.requested':
    case 'approval.given':
    case 'approval.overridden':
    case 'approval.rejected':
    case 'approval.expired':
    case 'rung.entered':
    case 'rung.skipped':
    case 'rung.failed':
    case 'step.skipped':
    case 'step.started':
    case 'restore.checking':
    case 'step.finished':
    case 'verification.started':
    case 'verification.turned':
    case 'verification.ended':
    case 'incident.asked':
    case 'incident.answered':
    case 'incident.closed':
    case 'incident.escalated':
    case 'incident.updated':
    case 'incident.realerted':
    case 'incident.forgotten':
    case 'report.written':
      return [`Incident/${event.incident}`];
    case 'operation.planned':
      return subjectsOfOperation(event.operation);
    case 'operation.running':
    case 'operation.finished':
      return [];
    case 'notification.queued':
      return event.notification.incident === undefined ? [] : [`Incident/${event.notification.incident}`];
    case 'daemon.started':
    case 'daemon.stopped':
    case 'clock.jumped':
    case 'halt.began':
    case 'halt.ended':
    case 'halt.lifted':
    case 'store.restored':
    case 'revision.accepted':
    case 'revision.refused':
    case 'source.unreachable':
    case 'source.recovered':
    case 'source.consented':
    case 'triggers.recorded':
    case 'triggers.forgotten':
    case 'sampling.troubled':
    case 'notification.dropped':
      return [];
  }
}

/** What an operation concerns; its later events concern the same. */
export function subjectsOfOperation({ action }: Operation): string[] {
  switch (action.kind) {
    case 'deliver':
      return action.changes.map((change) => `Flag/${change.flag}`);
    case 'takeUp':
      return [action.document];
    case 'step':
      return [`Incident/${action.incident}`];
    case 'restore': {
      const incident = action.why.kind === 'rung' ? [`Incident/${action.why.incident}`] : [];
      return [targetObject(action.target.name), ...incident];
    }
    case 'activate':
      return [targetObject(action.target)];
    case 'keep':
      return [targetObject(action.target.name)];
    case 'capture':
    case 'validate':
      return [pointObject(action.point)];
    case 'copy':
      return [pointObject(action.point.id)];
    case 'collect':
      return [];
    case 'report':
      return [`Incident/${action.incident}`];
    case 'rehearse':
      return [drillObject(action.drill)];
    case 'notify':
      return action.notification.incident === undefined ? [] : [`Incident/${action.notification.incident}`];
  }
}

function documentOfPlace(place: PlaceKey): DocumentKey {
  return place.slice(0, place.indexOf('#'));
}
