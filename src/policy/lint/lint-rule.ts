import type { Drill } from '../../core/model/drill.ts';
import type { Flag } from '../../core/model/flag.ts';
import type { MetricSource } from '../../core/model/metric-source.ts';
import type { Notifier } from '../../core/model/notifier.ts';
import type { PointPolicy } from '../../core/model/point-policy.ts';
import type { RollbackPolicy } from '../../core/model/policy.ts';
import type { Target } from '../../core/model/target.ts';
import type { Path } from '../path.ts';
import type { PolicyDocument } from '../policy-document.ts';
import type { JudgedQuery } from './queries.ts';

/** `warning`: something will probably not do what its author meant. `advice`: it will, but there is a safer way. */
export type LintSeverity = 'warning' | 'advice';

/** One object of a valid revision, and the document that says it. */
export type Subject<T> = { readonly document: PolicyDocument; readonly value: T };

/** What rules look at: a valid revision, whole. */
export type LintWorld = {
  readonly sources: readonly Subject<MetricSource>[];
  readonly targets: readonly Subject<Target>[];
  readonly flags: readonly Subject<Flag>[];
  readonly policies: readonly Subject<RollbackPolicy>[];
  readonly notifiers: readonly Subject<Notifier>[];
  readonly drills: readonly Subject<Drill>[];
  readonly pointPolicies: readonly Subject<PointPolicy>[];
  /** Every query of a trigger or of a verification's check, parsed. */
  readonly queries: readonly JudgedQuery[];
};

export type Doubt = {
  readonly document: PolicyDocument;
  /** Of the value that is doubted; where it is absent, the nearest key above it is shown. */
  readonly path: Path;
  /** What is there, in one sentence without an end. */
  readonly message: string;
  /** How to mend this one, if the rule's own words can be put more exactly. */
  readonly mend?: string;
};

/** A rule is a file of its own name in `rules/`, and one line in the registry. */
export type LintRule = {
  /** Stable: silences name it. */
  readonly id: string;
  readonly severity: LintSeverity;
  /** In a few words, for lists. */
  readonly title: string;
  /** What happens at 3 a.m. if it stays so. */
  readonly why: string;
  readonly mend: string;
  readonly find: (world: LintWorld) => readonly Doubt[];
};
