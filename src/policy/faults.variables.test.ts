import { describe, expect, it } from 'vitest';
import { badFixtures, faultsOf } from '../../test/tools/policy-fixtures.ts';

/** By fixture: every line that is printed of it. */
const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  'variable-foreign': [
    '27:37 error[E-VARIABLE] unknown variable "${HOME}": only ${host.NAME} is filled in; write $${ for the text ${ itself',
  ],
  'variable-hosts': ['9:25 error[E-VARIABLE] unknown variable ${hosts.name}; did you mean ${host.name}?'],
  'variable-open': ['27:39 error[E-VARIABLE] found ${ without its closing brace; write $${ for the text ${ itself'],
  'variable-relative': ['9:24 error[E-PATH] `path` is not an absolute path: found "alpha/app.env"'],
  'variable-undefined': [
    '9:30 error[E-VARIABLE] the host has no variable naem (its variables stand in its own configuration); did you mean ${host.name}?',
  ],
};

describe('variables of the host', () => {
  it('has an expectation for every fixture', () => {
    expect(badFixtures('variables')).toEqual(Object.keys(EXPECTED).sort());
  });

  it.each(Object.entries(EXPECTED))('%s', (name, lines) => {
    expect(faultsOf('variables', name)).toEqual({ refused: true, lines });
  });
});
