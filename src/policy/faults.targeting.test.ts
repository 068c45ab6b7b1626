import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  buckets: [
    '7:29 error[E-TARGETING] what users are bucketed by is the same for all of them',
    '7:35 error[E-TARGETING] a bucket is [VARIANT] or [VARIANT, WEIGHT]',
    '7:39 error[E-TARGETING] a bucket is [VARIANT] or [VARIANT, WEIGHT]',
    '7:46 error[E-TARGETING] a bucket is [VARIANT] or [VARIANT, WEIGHT]',
  ],
  deep: ['7:213 error[E-YAML-DEEP] nested deeper than 50 levels'],
  'evaluator-twice': [
    '15:24 error[E-DUPLICATE-NAME] another flag declares an evaluator "staff" too, and differently; evaluators are shared, and their names unique',
  ],
  operator: ['7:21 error[E-TARGETING] there is no operator `equals`'],
  'operator-near': ['7:21 error[E-TARGETING] there is no operator `starts_wth`; did you mean `starts_with`?'],
  recursion: [
    '9:19 error[E-TARGETING] the evaluator "admins" refers to itself',
    '10:21 error[E-TARGETING] the evaluator "staff" refers to itself',
  ],
  reference: ['7:21 error[E-TARGETING] there is no evaluator "staf"; did you mean "staff"?'],
  shape: [
    '7:14 error[E-TYPE] `targeting` must be a rule of JsonLogic; found the text "on"; for example { if: [{ ends_with: [{ var: email }, "@example.com"] }, "on", null] }',
    '8:22 error[E-TYPE] `owner` must be a text, number or truth such as team-a; found a list',
  ],
  truth: [
    '7:14 error[E-NO-VARIANT] targeting names no variant of this flag: found "true", expected "on" or "off"; null is the default',
    '7:14 error[E-NO-VARIANT] targeting names no variant of this flag: found "false", expected "on" or "off"; null is the default',
  ],
  'two-names': ['7:21 error[E-TARGETING] an operation has one name; found var, =='],
  variant: [
    '7:36 error[E-NO-VARIANT] targeting names no variant of this flag: found "enabled", expected "on" or "off"; null is the default',
    '7:75 error[E-NO-VARIANT] targeting names no variant of this flag: found "of", expected "on" or "off"; null is the default',
  ],
  'version-operator': ['7:51 error[E-TARGETING] `sem_ver` compares by = != < <= > >= ^ ~; found =='],
  weights: [
    '9:16 error[E-TARGETING] a weight is a whole number from 0 to 2147483647',
    '10:17 error[E-TARGETING] a weight is a whole number from 0 to 2147483647',
    '11:17 error[E-TARGETING] a weight is a whole number from 0 to 2147483647',
  ],
  'weights-sum': ['7:14 error[E-TARGETING] the weights are 3000000000 together, at most 2147483647'],
  'weights-zero': ['7:14 error[E-TARGETING] all weights are 0, so that nobody is in any bucket'],
};

describe('faults of targeting', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('targeting')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('targeting', name)).toEqual({ refused: true, lines });
  });
});
