import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'drill-policy': ['11:17 error[E-NO-ROLLBACKPOLICY] there is no RollbackPolicy called "slo"; did you mean "slow"?'],
  'drill-rung': [
    '11:51 error[E-NO-RUNG] the ladder of "slow" has no rung "ment"; did you mean "mend"?',
    '3:19 the RollbackPolicy "slow"',
  ],
  'drill-notifier': ['11:46 error[E-NO-NOTIFIER] there is no Notifier called "oncall"; there is no Notifier at all'],
  'check-source': ['28:80 error[E-NO-METRICSOURCE] there is no MetricSource called "prod"; expected app'],
  'check-source-type': [
    '28:80 error[E-SOURCE-TYPE] the MetricSource "app" is of type scrape, expected prometheus: what it samples is there for every query, so leave `source` out',
    '11:19 the MetricSource "app"',
  ],
  'duplicate-name': [
    '17:19 error[E-DUPLICATE-NAME] a second Flag is called "fast-path"; names are unique within a kind',
    '3:19 the first Flag "fast-path"',
  ],
  'duplicate-rung': [
    '28:13 error[E-DUPLICATE-NAME] a second rung is called "flags"; names are unique within a policy',
    '25:13 the first rung "flags"',
  ],
  'duplicate-trigger': [
    '24:13 error[E-DUPLICATE-NAME] a second trigger is called "latency"; names are unique within a policy',
    '21:13 the first trigger "latency"',
  ],
  'flag-as-notifier': [
    '28:12 error[E-NO-NOTIFIER] there is no Notifier called "fast-path", only a Flag',
    '3:19 the Flag "fast-path"',
  ],
  'flag-case': ['27:28 error[E-NO-FLAG] there is no Flag called "Fast-Path"; did you mean "fast-path"?'],
  'missing-point-policy': [
    '27:34 error[E-NO-POINTPOLICY] there is no PointPolicy called "nightly"; there is no PointPolicy at all',
  ],
  'merge-type': [
    '12:33 error[E-MERGE] a target of type sqlite cannot be merged; `mode: merge` is for rows, http and files',
    '3:19 the Target "shop-db"',
  ],
  'loss-missing-target': ['13:27 error[E-NO-TARGET] there is no Target called "cod"; did you mean "code"?'],
  'loss-no-database': [
    '13:40 error[E-NO-DATABASE] the Target "code" is of type git, which has no database to count in; name one: {sql: {sqlite: PATH, query: SELECT}}',
    '3:19 the Target "code"',
  ],
  'missing-flag': ['27:28 error[E-NO-FLAG] there is no Flag called "fastpath"; did you mean "fast-path"?'],
  'missing-notifier': ['28:12 error[E-NO-NOTIFIER] there is no Notifier called "oncal"; did you mean "oncall"?'],
  'missing-override-notifier': [
    '26:116 error[E-NO-NOTIFIER] there is no Notifier called "boss"; there is no Notifier at all',
  ],
  'missing-safe': [
    '26:28 error[E-NO-SAFE-VARIANT] the Flag "fast-path" has no safeVariant, so it cannot be set to safe; add one, or name a variant',
    '10:19 the Flag "fast-path"',
  ],
  'missing-variant': [
    '27:54 error[E-NO-VARIANT] the Flag "fast-path" has no variant "of"; expected "on" or "off"',
    '3:19 the Flag "fast-path"',
  ],
  'missing-window-flag': ['19:79 error[E-NO-FLAG] there is no Flag called "fast-pat"; did you mean "fast-path"?'],
  'missing-window-target': [
    '9:81 error[E-NO-TARGET] there is no Target called "memory-cod"; did you mean "memory-code"?',
  ],
  'not-for-host': [
    '28:28 error[E-NOT-FOR-HOST] the Flag "fast-path" is not for this host (its hosts.matchLabels), but what refers to it is',
    '10:19 the Flag "fast-path"',
  ],
  'restore-part': [
    '27:73 error[E-POINTER] "limits" is not a place in a JSON document; expected a JSON pointer such as /limits/rate',
    '28:70 error[E-RESTORE-PART] a target of type command is restored as a whole; leave `only` out',
    '29:70 error[E-PATH] "../shadow" is not a path within the target; it must be relative, and must not contain `..`',
    '30:30 error[E-RESTORE-TO] a target of type command is not restored to `revision`; expected lastGood, latestValid, safetyPoint, {point: ID}, {at: TIME} or {before: trigger, by: 5m}',
    '9:19 the Target "rules"',
  ],
  'target-check': ['13:32 error[E-NO-TARGET] there is no Target called "cod"; did you mean "code"?'],
  'target-check-intact': [
    '14:44 error[E-NO-CHECK] the Target "code" has no `check`, so nothing says when it is intact; add `check: [...]` to it',
    '3:19 the Target "code"',
  ],
  'target-flags': [
    '9:36 error[E-NO-FLAG] there is no Flag called "slow-path"; expected fast-path',
    '24:75 error[E-RESTORE-PART] "fast-paht" is not among the flags that the target stands for; did you mean "fast-path"?',
    '25:74 error[E-NO-FLAG] there is no Flag called "fst-path"; did you mean "fast-path"?',
    '27:30 error[E-RESTORE-TO] a target of type flags is not restored to `revision`; expected lastGood, latestValid, safetyPoint, {point: ID}, {at: TIME} or {before: trigger, by: 5m}',
    '13:19 the Target "all-flags"',
  ],
  'trigger-source': ['24:15 error[E-NO-METRICSOURCE] there is no MetricSource called "prod"; expected app'],
  'trigger-source-type': [
    '24:15 error[E-SOURCE-TYPE] the MetricSource "app" is of type scrape, expected prometheus: what it samples is there for every query, so leave `source` out',
    '11:19 the MetricSource "app"',
  ],
  'restore-tables-of-code': [
    '13:33 error[E-NO-DATABASE] the Target "code" is of type git, which has no tables; `only.tables` is of a database',
    '3:19 the Target "code"',
  ],
  'same-place': [
    '19:7 error[E-SAME-PLACE] the Flag "fast-path" writes the same place (envFile:/etc/app.env#FAST_PATH); two writers would undo each other',
    '9:7 the place of the Flag "fast-path"',
  ],
  'start-at': ['24:16 error[E-NO-RUNG] `startAt` names no rung of this ladder: found "flag"; did you mean "flags"?'],
};

describe('what documents say of each other', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('links')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('links', name)).toEqual({ refused: true, lines });
  });
});
