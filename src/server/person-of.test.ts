import { expect, test } from 'vitest';
import { ANONYMOUS } from './caller-proof.ts';
import { personOf } from './person-of.ts';

const ROLES = {
  dba: { users: ['ann'], groups: ['dbas'] },
  manager: { users: ['ann', 'carol'] },
  nobody: {},
};

test.each([
  ['by name', { name: 'ann', uid: 1000, groups: [] }, true, ['dba', 'manager']],
  ['by group', { name: 'bob', uid: 1001, groups: ['users', 'dbas'] }, true, ['dba']],
  ['none', { name: 'eve', uid: 1002, groups: ['users'] }, true, []],
  ['none as root, whatever it is called', { name: 'ann', uid: 0, groups: ['dbas'] }, false, []],
  ['none without a proof', { ...ANONYMOUS, name: 'ann' }, false, []],
] as const)('roles: %s', (_how, caller, isPerson, roles) => {
  expect(personOf(caller, ROLES)).toEqual({ name: caller.name, isPerson, roles });
});
