import type { Drill } from './drill.ts';
import type { Flag } from './flag.ts';
import type { MetricSource } from './metric-source.ts';
import type { Notifier } from './notifier.ts';
import type { PointPolicy, PointRules } from './point-policy.ts';
import type { RollbackPolicy } from './policy.ts';
import type { Revision } from './revision.ts';
import type { Target } from './target.ts';
import type { Window } from './window.ts';

/** One whole revision: validated, linked and resolved for this host. Plain data, so that a decision can be recorded. */
export type PolicySet = {
  readonly revision: Revision;
  readonly metricSources: Readonly<Record<string, MetricSource>>;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly policies: Readonly<Record<string, RollbackPolicy>>;
  readonly notifiers: Readonly<Record<string, Notifier>>;
  readonly targets: Readonly<Record<string, Target>>;
  readonly pointPolicies?: Readonly<Record<string, PointPolicy>>;
  readonly windows?: Readonly<Record<string, Window>>;
  readonly drills?: Readonly<Record<string, Drill>>;
};

/** The policies in force, together with what the host's own configuration says about following them. */
export type Desired = PolicySet & HostRules;

/** Policies as a host follows them. */
export function followedOn({ adopt, points }: HostRules, policies: PolicySet): Desired {
  return { ...policies, adopt, ...(points === undefined ? {} : { points }) };
}

/** What a host says about following policies. */
export type HostRules = {
  /** What happens to a live state that revertd sees for the first time and that differs from git. */
  readonly adopt: 'ask' | 'git';
  /** Absent: points that belong to no policy have no end. */
  readonly points?: PointRules;
};
