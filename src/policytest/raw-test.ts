import type { Hold } from '../core/model/hold.ts';
import type { IncidentAnswer, IncidentOutcome, Phase } from '../core/model/incident.ts';
import type { NotificationTopic } from '../core/model/notifier.ts';
import type { PointState } from '../core/model/point.ts';
import type { JsonValue } from '../core/model/step.ts';
import type { TriggerState } from '../core/triggers/trigger-memory.ts';

/** A PolicyTest as its author writes it, after the schema has accepted it. */
export type RawPolicyTest = { readonly metadata: { readonly name: string }; readonly spec: RawTestSpec };

export type RawTestSpec = {
  readonly host?: {
    readonly variables?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly start?: string;
  readonly interval?: string;
  readonly duration?: string;
  readonly adopt?: 'ask' | 'git';
  readonly input?: readonly RawInput[];
  readonly flags?: Readonly<Record<string, string>>;
  readonly documents?: DocumentValues;
  readonly targets?: Readonly<Record<string, RawTargetStart>>;
  readonly events?: readonly RawEvent[];
  readonly expect: readonly RawExpectation[];
};

export type RawTargetStart = { readonly revision?: string; readonly good?: readonly string[] };

export type RawInput = { readonly series: string; readonly values: string };

/** By the document's path and the entry; null stands for an entry that is not there. */
export type DocumentValues = Readonly<Record<string, Readonly<Record<string, JsonValue>>>>;

/** By KIND/NAME: a JSON merge patch (RFC 7396) of the document's spec, or null for a document that goes. */
export type CommitPatch = Readonly<Record<string, { readonly [key: string]: JsonValue } | null>>;

/** Exactly one of the keys beside `at`. */
export type RawEvent = {
  readonly at: string;
  readonly commit?: CommitPatch;
  readonly halt?: string;
  readonly resume?: true;
  readonly lift?: string;
  readonly adopt?: true | string;
  readonly answer?: { readonly incident: string; readonly with: IncidentAnswer };
  readonly abort?: string;
  readonly approve?: RawApproving & { readonly override?: true };
  readonly reject?: RawApproving;
  readonly rollback?: {
    readonly policy: string;
    readonly rung?: string;
    readonly force?: true;
    readonly refused?: true;
  };
  readonly take?: string;
  readonly override?: RawOverride;
  readonly restart?: true | string;
  readonly kill?: { readonly during?: string; readonly away?: string };
  readonly fail?: { readonly step: string; readonly times?: number; readonly outcome?: 'failed' | 'unknown' };
  readonly silent?: { readonly source: string; readonly for: string };
  readonly check?: { readonly of: string; readonly is: 'true' | 'false' | 'unknown' };
  readonly edit?: DocumentValues;
  readonly push?: { readonly target: string; readonly revision: string };
};

/** Somebody with these roles; `root` is nobody in particular. `refused`: the command says no. */
export type RawApproving = {
  readonly incident: string;
  readonly by: string;
  readonly roles?: readonly string[];
  readonly refused?: true;
};

export type RawOverride = {
  readonly flag: string;
  readonly variant: string;
  readonly for?: string;
  readonly force?: boolean;
};

/** Exactly one of `at` and `within`; what is left out may be anything. */
export type RawExpectation = {
  readonly at?: string;
  readonly within?: string;
  readonly triggers?: Readonly<Record<string, TriggerState>>;
  readonly incidents?: readonly Partial<IncidentView>[];
  readonly rungs?: readonly string[];
  readonly flags?: Readonly<Record<string, string>>;
  readonly holds?: readonly Partial<HoldView>[];
  readonly documents?: DocumentValues;
  /** The revision that each target is at. */
  readonly targets?: Readonly<Record<string, string>>;
  readonly actions?: readonly JsonValue[];
  readonly points?: readonly Partial<PointView>[];
  readonly notifications?: readonly Partial<MessageView>[];
  readonly nothing?: true;
};

export type IncidentView = {
  readonly id: string;
  readonly policy: string;
  readonly phase: Exclude<Phase['kind'], 'closed'> | IncidentOutcome;
  readonly rung: string;
};

export type HoldView = {
  readonly id: string;
  readonly kind: Hold['kind'];
  /** Of a hold on a flag. */
  readonly flag?: string;
  /** Of a hold on a target, with the revision held. */
  readonly target?: string;
  readonly revision?: string;
  /** An adoption holds what is there, which need not be a variant. */
  readonly variant?: string;
};

export type PointView = {
  /** Empty for a point of none. */
  readonly policy: string;
  readonly state: PointState;
  readonly targets: readonly string[];
  readonly cause: 'schedule' | 'revision' | 'command' | 'rollback' | 'safety';
  /** From the start of the test. */
  readonly at: string;
};

export type MessageView = {
  readonly topic: NotificationTopic;
  readonly to: readonly string[];
  readonly policy?: string;
  readonly incident?: string;
  readonly level?: number;
};
