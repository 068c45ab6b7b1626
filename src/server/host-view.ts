import type { ApprovalAnswer } from '../core/approval-commands.ts';
import type { Memory } from '../core/memory.ts';
import type { MergePhase } from '../core/merge/merge-report.ts';
import type { Desired, PolicySet } from '../core/model/desired.ts';
import type { DrillRunId } from '../core/model/drill.ts';
import type { IncidentAnswer } from '../core/model/incident.ts';
import type { RestoreId } from '../core/model/manual-restore.ts';
import type { PointId } from '../core/model/point.ts';
import type { Observation } from '../core/observation.ts';
import type { DocumentSight, Observed, TargetSight } from '../core/observed.ts';
import type { OverrideRequest } from '../core/operator-commands.ts';
import type { Condition, Plan } from '../core/plan/plan.ts';
import type { Judgement } from '../core/plan/saved-plan.ts';
import type { RestoreRequest } from '../core/points/manual-restores.ts';
import type { PruneRequest, TakeRequest, VerifyRequest } from '../core/points/point-commands.ts';
import type { RollbackRequest } from '../core/rollback-command.ts';
import type { Millis } from '../core/units.ts';
import type { Backup, BackupProgress, BackupRequest } from '../daemon/backup/create-backup.ts';
import type { DiffRequest, PointDiff } from '../daemon/diff-points.ts';
import type { QueryAnswer, QueryRequest } from '../daemon/observe/explore.ts';
import type { FeedState } from '../daemon/policy-feed.ts';
import type { CopyState } from '../daemon/postgres-copy.ts';
import type { Coverage } from '../metrics/evaluator.ts';
import type { SourceCondition } from '../metrics/sampling.ts';
import type { Store } from '../store/store.ts';
import type { Caller } from './caller-proof.ts';

/** What the handlers read of a host; a daemon's is live, one without a daemon is what its store and files say. */
export type HostView = {
  readonly live: boolean;
  readonly hostName: string;
  readonly version: string;
  readonly now: () => Millis;
  readonly startedAt: Millis | null;
  readonly desired: () => Desired | null;
  readonly memory: () => Memory;
  readonly sights: () => Readonly<Record<string, DocumentSight>>;
  readonly targetSights: () => Readonly<Record<string, TargetSight>>;
  readonly sources: () => readonly SourceCondition[];
  readonly feed: () => FeedState | null;
  /** What would be decided now, for the policies in force or for others; null while there are none. */
  readonly plan: (policies?: PolicySet) => Plan | null;
  /** The conditions of the newest decision; a running daemon's is a second old at most. */
  readonly conditions: () => readonly Condition[];
  /** All that a decision here rests on now, beside the policies. */
  readonly observe: () => Observation;
  /** The spans around now of the policies' windows. */
  readonly windows: () => Observed['windows'];
  /** The instants around now of the policies' drills. */
  readonly drills: () => Observed['drills'];
  /** The instants around now of the schedules of the policies. */
  readonly schedules: () => Observed['schedules'];
  /** What the content of points takes on the disk; null while that was not measured. */
  readonly storeBytes: () => number | null;
  /** How far the copy in PostgreSQL is; null where there is none, or nobody copies. */
  readonly copy: () => CopyState | null;
  /** Null before the first start. */
  readonly store: Store | null;
  /** Evaluates a query over the samples of a running daemon; null without one. @throws PromqlError */
  readonly query: ((request: QueryRequest) => QueryAnswer) | null;
  /** What a trigger's query has to go by; null without a daemon. */
  readonly coverage: ((query: string) => Coverage) | null;
  /** How far the capture or reading of a point is, while it lasts. */
  /** What a merge of a target that is under way goes through now. */
  readonly mergePhase: (target: string) => MergePhase | undefined;
  readonly pointProgress: (
    point: PointId,
  ) => { readonly bytes: number; readonly files?: number; readonly total?: number } | undefined;
  /** What is different between two points, or between one and what is live. */
  readonly diffPoint: (request: DiffRequest) => Promise<PointDiff>;
  /** How far the backup is that is being made; null while none is. */
  readonly backupProgress: () => BackupProgress | null;
  readonly report: (incident: string) => { readonly markdown: string; readonly html: string } | undefined;
};

/** What a person may tell a running daemon. Each throws a CommandError that says why not. */
export type HostControl = {
  readonly liftHold: (actor: string, id: string, reason: string | undefined) => void;
  readonly adopt: (actor: string, object: string | undefined) => number;
  readonly acceptRevision: (actor: string, revision: string) => void;
  readonly answerIncident: (actor: string, id: string, answer: IncidentAnswer) => void;
  readonly abortIncident: (actor: string, id: string, reason: string | undefined) => void;
  readonly overrideFlag: (actor: string, request: OverrideRequest) => void;
  /** Decides once more, has that judged, and begins what is still the same; the judge throws to refuse. */
  readonly applyPlan: (actor: string, judge: (present: Plan) => Judgement) => Judgement;
  readonly approveRung: (caller: Caller, id: string, answer: ApprovalAnswer) => void;
  readonly overrideApproval: (caller: Caller, id: string, answer: ApprovalAnswer) => void;
  readonly rejectRung: (caller: Caller, id: string, answer: ApprovalAnswer) => void;
  /** Walks a ladder by hand, and answers its incident. */
  readonly rollBack: (actor: string, request: RollbackRequest) => string;
  /** Has a drill run now, and answers its run. */
  readonly drill: (actor: string, name: string) => DrillRunId;
  /** `now`: steps that are under way are killed. */
  readonly halt: (actor: string, reason: string, now: boolean) => void;
  readonly resume: (actor: string) => boolean;
  /** Answers the id of the new point. */
  readonly takePoint: (actor: string, request: TakeRequest) => PointId;
  readonly cancelPoint: (actor: string, point: PointId) => void;
  readonly pinPoint: (actor: string, point: PointId, reason: string | undefined) => void;
  readonly unpinPoint: (actor: string, point: PointId) => void;
  readonly undeletePoint: (actor: string, point: PointId) => void;
  /** Answers how many. */
  readonly verifyPoints: (actor: string, request: VerifyRequest) => number;
  readonly prunePoints: (actor: string, request: PruneRequest) => readonly PointId[];
  /** Answers the id of the restore. */
  readonly restorePoint: (actor: string, request: RestoreRequest) => RestoreId;
  /** Writes it into a file; answers how large that is. */
  readonly exportPoint: (point: PointId, path: string) => Promise<number>;
  readonly importPoint: (actor: string, path: string) => Promise<PointId>;
  /** Writes all that the daemon knows into a file. */
  readonly backUp: (request: BackupRequest) => Promise<Backup>;
  readonly prunePoint: (actor: string, point: PointId) => void;
};
