import { expect, test } from 'vitest';
import { policyFile, printed } from '../../test/tools/policy-fixtures.ts';
import { loadPolicies } from './load.ts';

const POLICY = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: by-hand }
spec:
  ladder:
    - rung: drop
      dataLoss: { text: rows, count: { rows: { query: sum(rows) } } }
      approval: { roles: { dba: 2 }, override: { role: oncall, when: [{ query: { expr: up, below: 1 } }] } }
      do: [{ run: { argv: [drop], repeatable: true }, when: [{ unit: { name: app.service, is: failed } }] }]
`;

function load(roles?: readonly string[]) {
  const host = roles === undefined ? undefined : {};
  const options = { revision: 'r', host, hostLabels: {}, ...(roles === undefined ? {} : { roles }) };
  return loadPolicies([policyFile('p.yaml', POLICY)], options);
}

test('an approval has its defaults, and its loss what is to be measured', () => {
  const result = load();
  expect(result.ok ? result.desired.policies['by-hand']?.ladder[0] : undefined).toMatchObject({
    dataLoss: { text: 'rows', counts: [{ label: 'rows', measure: { kind: 'query', expr: 'sum(rows)' } }] },
    approval: { roles: { dba: 2 }, withinMs: 900_000, onTimeout: 'escalate', override: { role: 'oncall', notify: [] } },
    do: [{ kind: 'run', when: [{ kind: 'unit', unit: 'app.service', is: 'failed' }] }],
  });
});

test.each([
  [undefined, []],
  [['dba', 'oncall'], []],
  [
    ['dba'],
    [
      'p.yaml:8:56 warning[W-NO-ROLE] nobody on this host has the role "oncall" (`roles` of its configuration), so nobody can fill it',
    ],
  ],
])('of roles that nobody has it is warned, where the host is known: %j', (roles, lines) => {
  expect(printed(load(roles))).toEqual(lines);
});
