import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'warn-baseline': [
    '23:35 warning[W-BASELINE] a baseline over 5m follows a fault that comes slowly, and so does not reveal it; 10m or more is better',
  ],
  'warn-boolean': [
    '5:15 warning[W-YAML-BOOLEAN] `on` without quotes is text here, but a boolean to YAML 1.1 tools; write "on"',
    '5:25 warning[W-YAML-BOOLEAN] `off` without quotes is text here, but a boolean to YAML 1.1 tools; write "off"',
    '6:19 warning[W-YAML-BOOLEAN] `on` without quotes is text here, but a boolean to YAML 1.1 tools; write "on"',
    '7:16 warning[W-YAML-BOOLEAN] `off` without quotes is text here, but a boolean to YAML 1.1 tools; write "off"',
  ],
  'warn-filter': [
    '22:14 warning[W-QUERY-FILTER] the comparison ">" drops every series that does not meet it, and no data is not clear: with `noData: hold` the trigger would fire and never clear; leave the comparison to above, below or outside, or write `noData: clear`',
  ],
  'warn-nothing-verified': [
    '28:32 warning[W-NOTHING-VERIFIED] nothing is verified: `triggersClear` is false and there are no checks, so every rung counts as a success',
  ],
  'warn-pace': [
    '22:14 warning[W-NO-JOB] the query asks for job="ap", but no MetricSource is called so: it will have no data; did you mean "app"?',
    `22:14 warning[W-WINDOW] the query's window (45s) is shorter than two times the shortest interval of all sources (30s): it often holds fewer than two samples`,
    '24:12 warning[W-FOR] `for` (10s) is shorter than the shortest interval of all sources (30s): one sample decides',
    '29:38 warning[W-WITHIN] `verify.within` (40s) of the rung "flags" is shorter than its settle (10s) and the longest window of the triggers (45s) together: they may still see the fault when time is up',
    '30:13 warning[W-COOLDOWN] `cooldown` (1m) is shorter than the ladder may take (1m40s)',
    '31:31 warning[W-LIMIT] the limit can never be reached: `per` (1m) is not longer than the cooldown (1m)',
  ],
  'warn-secret': [
    '27:71 warning[W-SECRET] the header Authorization is written out; name its secret: {credential: NAME}',
  ],
  'warn-variant-types': [
    '5:13 warning[W-VARIANT-TYPES] the variants are of different types (boolean, string); readers of a flag expect one',
  ],
};

describe('doubts', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('doubts')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('doubts', name)).toEqual({ refused: false, lines });
  });
});
