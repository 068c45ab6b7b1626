import type { Person } from '../core/model/approval.ts';
import type { Desired } from '../core/model/desired.ts';
import type { IncidentAnswer } from '../core/model/incident.ts';
import type { Origin } from '../core/model/origin.ts';
import type { Millis } from '../core/units.ts';
import type { Labels } from '../promql/series.ts';
import type { SequencePoint } from '../promql/series-notation.ts';
import type { DocumentValues, RawExpectation } from './raw-test.ts';
import type { TargetStart } from './virtual-targets.ts';

/** A test that can be run: linked against the policies, with instants in ms since the epoch. */
export type PolicyTest = {
  readonly name: string;
  readonly origin: Origin;
  readonly startAt: Millis;
  readonly intervalMs: Millis;
  /** Everything ends here. */
  readonly endAt: Millis;
  readonly desired: Desired;
  readonly inputs: readonly Input[];
  /** Variants that the places of flags show at first; of all others, what git wants. */
  readonly flags: Readonly<Record<string, string>>;
  readonly documents: DocumentValues;
  readonly targets: Readonly<Record<string, TargetStart>>;
  /** In the order of their time. */
  readonly events: readonly TestEvent[];
  readonly expectations: readonly Expectation[];
};

/** One series. Point k stands at `startAt + k * intervalMs`. */
export type Input = {
  /** The MetricSource that delivers it; `INPUT` where it names none. */
  readonly source: string;
  /** Distinct for each series. */
  readonly target: string;
  readonly labels: Labels;
  readonly points: readonly SequencePoint[];
};

/** The source of series without the label `job`. */
export const INPUT = 'input';

export type TestEvent = { readonly at: Millis; readonly origin: Origin } & EventKind;

export type EventKind = WorldEvent | PeopleEvent;

/** What befalls the host, before the samples of the same instant. */
export type WorldEvent =
  | { readonly kind: 'fail'; readonly step: string; readonly times: number; readonly outcome: 'failed' | 'unknown' }
  | { readonly kind: 'silent'; readonly source: string; readonly forMs: Millis }
  | { readonly kind: 'check'; readonly of: string; readonly is: 'true' | 'false' | 'unknown' }
  | { readonly kind: 'edit'; readonly documents: DocumentValues }
  | { readonly kind: 'push'; readonly target: string; readonly revision: string }
  | { readonly kind: 'kill'; readonly during: string; readonly awayMs: Millis };

/** What people do, after the samples of the same instant. */
export type PeopleEvent =
  | { readonly kind: 'commit'; readonly desired: Desired }
  | { readonly kind: 'halt'; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'lift'; readonly hold: string }
  | { readonly kind: 'adopt'; readonly object: string | undefined }
  | { readonly kind: 'answer'; readonly incident: string; readonly answer: IncidentAnswer }
  | { readonly kind: 'abort'; readonly incident: string }
  | {
      readonly kind: 'approve';
      readonly incident: string;
      readonly person: Person;
      readonly override: boolean;
      readonly refused: boolean;
    }
  | { readonly kind: 'reject'; readonly incident: string; readonly person: Person }
  | {
      readonly kind: 'rollback';
      readonly policy: string;
      readonly rung: string | undefined;
      readonly force: boolean;
      readonly refused: boolean;
    }
  | { readonly kind: 'take'; readonly policy: string }
  | {
      readonly kind: 'override';
      readonly flag: string;
      readonly variant: string;
      readonly ttlMs: Millis | null;
      readonly force: boolean;
    }
  | { readonly kind: 'restart'; readonly awayMs: Millis };

export type Expectation = {
  readonly origin: Origin;
  /** `at`: at this instant; `within`: at one instant by then. */
  readonly when: 'at' | 'within';
  readonly time: Millis;
  readonly raw: RawExpectation;
};
