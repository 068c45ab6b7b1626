import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'merge-latest': [
    '13:41 error[E-MERGE] nothing would come of merging `latestValid`: it is what the live state is held against; go further back, as with lastGood or {before: trigger, by: 1h}',
    '14:62 error[E-MERGE] there are conflicts only in a merge; add `mode: merge`',
  ],
  'drill-schedule': [
    '11:47 error[E-SCHEDULE] the schedule "0 3 1 13 *" has not five fields of cron: Invalid value for month: 12',
  ],
  'drill-never': ['11:47 error[E-SCHEDULE] the schedule "0 3 30 2 *" never comes'],
  'drill-zone': ['11:70 error[E-SCHEDULE] there is no time zone "Berlin"; write an IANA name'],
  'drill-rto': ['11:42 error[E-RANGE] `rto` must be at least 1s; found 500ms'],
  approval: [
    '26:28 error[E-NAME] "d b a" cannot be a name: names are up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
    '26:35 error[E-RANGE] `d b a` must be at least 1; found the number 0',
    '26:63 error[E-VALUE] `onTimeout` must be escalate or abort; found the text "ignore"',
  ],
  'clear-for': [
    '24:33 error[E-CLEAR-FOR] `clear.for` (10m) is not shorter than `verify.within` (5m) of the rung "flags": its verification could never succeed',
    '26:7 the rung "flags"',
  ],
  'clear-outside': [
    '24:7 error[E-CLEAR] `clear` goes with `above` or `below`; a trigger with `outside` clears inside of its range',
  ],
  'clear-side': ['24:16 error[E-CLEAR] `clear` is on the wrong side: a trigger with `above` clears `below` a value'],
  'clear-value': [
    '24:23 error[E-CLEAR] `clear` is on the wrong side: found below 0.9, but the trigger breaches above 0.5; expected at most 0.5',
  ],
  'clear-without-value': ['24:7 error[E-ONE-OF] `clear` needs exactly one of above or below; found none'],
  'decision-without-ladder': ['19:1 error[E-MISSING-KEY] a `decision` is about the `ladder`, and there is none'],
  'decision-zero': ['24:31 error[E-RANGE] `fixForward` must be at least 1s; found 0s'],
  'limit-fraction': ['28:23 error[E-TYPE] `rollbacks` must be a whole number from 1; found the number 1.5'],
  'limit-number': [
    '28:10 error[E-TYPE] `limit` must be a mapping; found the number 2; for example { rollbacks: 2, per: 24h }',
  ],
  'loss-nowhere': [
    '13:31 error[E-NO-DATABASE] it is not said which database counts; name the `target` that is put back, or {sql: {sqlite: PATH, query: SELECT}}',
  ],
  'loss-target': [
    '26:53 error[E-TYPE] `sql` must be a mapping; found the text "SELECT 1"; for example { sqlite: /srv/shop/shop.db, query: "SELECT count(*) FROM orders" }',
  ],
  'loss-without-approval': [
    '26:7 error[E-NO-APPROVAL] the rung "flags" loses data, so somebody must agree to it: add `approval`',
  ],
  'many-faults': [
    '4:1 error[E-YAML-TAB] found a tab in the indentation; YAML allows only spaces there',
    '13:3 error[E-UNKNOWN-KEY] unknown key `drft`; did you mean `drift`?',
    '27:12 error[E-NO-NOTIFIER] there is no Notifier called "nobody"; there is no Notifier at all',
  ],
  'match-too-many': ['28:21 error[E-MATCH] `match` asks for at least 2 of the critical triggers; this policy has 1'],
  'match-warnings': ['29:10 error[E-MATCH] `match` asks for all of the critical triggers; this policy has 0'],
  'match-zero': ['28:21 error[E-RANGE] `atLeast` must be at least 1; found the number 0'],
  'override-without-when': ['26:38 error[E-MISSING-KEY] `when` is missing in `override`'],
  'point-copies': [
    '13:32 error[E-COPY] the program is not told what to copy: one of its arguments must be, or name, `${file}`',
    '14:7 error[E-COPY] two copies are called "bucket"; what became of each is remembered by its name',
    '15:40 error[E-VARIABLE] unknown variable "${volume}": only ${file}, ${point}, ${host.NAME} are filled in; write $${ for the text ${ itself',
  ],
  'release-fix': ['28:38 error[E-NOT-SUPPORTED] `reRamp` is not supported by this version yet'],
  'release-word': [
    '28:12 error[E-TYPE] `release` must be a mapping; found the text "onFlagChange"; for example { flags: onFlagChange }',
  ],
  repetition: ['27:63 error[E-REPETITION] `repeatable: true` and `unless` exclude each other; keep one'],
  settle: ['28:25 error[E-SETTLE] `settle` (5m) must be shorter than `within` (2m), or nothing is ever judged'],
  'then-when': [
    '10:61 error[E-STEP] `when` is for steps of a ladder; what makes a state effective is done in any case',
  ],
  'verify-for': [
    '28:35 error[E-VERIFY-FOR] `settle` (30s) and `for` (5m) together are longer than `within` (5m): no success could last long enough',
  ],
  'window-never': ['4:31 error[E-SCHEDULE] the schedule "0 0 30 2 *" never comes'],
  'window-schedule': [
    '4:31 error[E-SCHEDULE] the schedule "0 25 * * 5" has not five fields of cron: Invalid value for hour: 25',
  ],
  'window-seconds': [
    "4:31 error[E-SCHEDULE] the schedule \"0 0 18 * * 5\" has not five fields of cron: mode '5-part' requires exactly 5 parts, but pattern '0 0 18 * * 5' has 6 parts.",
  ],
  'window-zone': ['4:70 error[E-SCHEDULE] there is no time zone "Europe/Berln"; write an IANA name'],
};

describe('what makes no sense together', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('sense')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('sense', name)).toEqual({ refused: true, lines });
  });
});
