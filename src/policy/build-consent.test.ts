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

const COUNTED = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: by-hand }
spec:
  ladder:
    - rung: drop
      dataLoss: { count: { rows: { sql: { sqlite: /srv/app.db, query: SELECT count(*) FROM a, timeout: 2s } } } }
      approval: { roles: { dba: 1 } }
      do:
        - sql:
            postgres: { credential: dsn }
            statements:
              - { text: DELETE FROM a, rows: { atLeast: 1, atMost: counted } }
              - { text: DELETE FROM b, rows: { atMost: { counted: rows } } }
              - { text: DELETE FROM c, rows: { atMost: 5 } }
            repeatable: true
`;

test('a loss is counted by SQL, and bounds the rows that a statement may change', () => {
  const result = loadPolicies([policyFile('p.yaml', COUNTED)], { revision: 'r', host: undefined, hostLabels: {} });
  expect(printed(result)).toEqual([]);
  expect(result.ok ? result.desired.policies['by-hand']?.ladder[0] : undefined).toMatchObject({
    dataLoss: {
      counts: [
        {
          label: 'rows',
          measure: {
            kind: 'sql',
            on: { kind: 'database', database: { kind: 'sqlite', path: '/srv/app.db' } },
            query: 'SELECT count(*) FROM a',
            timeoutMs: 2_000,
          },
        },
      ],
    },
    do: [
      {
        script: {
          statements: [
            { text: 'DELETE FROM a', rows: { atLeast: 1 }, atMostCounted: true },
            { text: 'DELETE FROM b', atMostCounted: 'rows' },
            { text: 'DELETE FROM c', rows: { atMost: 5 } },
          ],
        },
      },
    ],
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
