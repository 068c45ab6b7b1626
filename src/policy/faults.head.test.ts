import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'api-version': ['1:13 error[E-API-VERSION] unknown apiVersion "revertd/v1"; write apiVersion: revertd.dev/v1'],
  'bad-name': [
    '3:19 error[E-NAME] "fast path" cannot be a name (`name`): names are up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
  ],
  'empty-spec': ['4:6 error[E-TYPE] `spec` is empty; expected a mapping'],
  'foreign-kind': [
    '1:13 error[E-API-VERSION] this is a "Deployment" of "apps/v1", not a policy; policies have apiVersion: revertd.dev/v1',
  ],
  'kind-case': ['2:7 error[E-KIND] unknown kind "flag"; did you mean Flag?'],
  'long-name': [
    '3:19 error[E-NAME] "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" cannot be a name (`name`): names are up to 63 letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
  ],
  'missing-api-version': ['1:1 error[E-API-VERSION] `apiVersion` is missing; write apiVersion: revertd.dev/v1'],
  'missing-kind': [
    '1:1 error[E-KIND] `kind` is missing; expected one of MetricSource, Target, Flag, RollbackPolicy, Notifier, Window, PointPolicy, Drill',
  ],
  'missing-metadata': ['1:1 error[E-MISSING-KEY] `metadata` is missing in the document'],
  'missing-name': ['3:1 error[E-MISSING-KEY] `name` is missing in `metadata`; for example `name: memory-injection`'],
  'missing-spec': ['1:1 error[E-MISSING-KEY] `spec` is missing in the document'],
  'number-name': ['3:19 error[E-TYPE] `name` must be a name such as memory-injection; found the number 42; write "42"'],
  'other-tool': ['1:1 error[E-DOCUMENT] this is not a policy: `apiVersion: revertd.dev/v1` and `kind` are missing'],
  'status-key': [
    '8:1 error[E-UNKNOWN-KEY] unknown key `status`; expected apiVersion, kind, metadata or spec (what belongs to one of them is indented)',
  ],
  'unindented-spec': [
    '4:6 error[E-TYPE] `spec` is empty; expected a mapping',
    '5:1 error[E-UNKNOWN-KEY] unknown key `variants`; expected apiVersion, kind, metadata or spec (what belongs to one of them is indented)',
  ],
  'unknown-kind': ['2:7 error[E-KIND] unknown kind "Flags"; did you mean Flag?'],
};

describe('what is not a policy document', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('head')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('head', name)).toEqual({ refused: true, lines });
  });
});
