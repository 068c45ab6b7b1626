import { expect, test } from 'vitest';
import { runSpec, SHOP } from '../../test/support/policy-tests.ts';

const LADDER = `  ladder:
    - rung: all
      do:
        - waitFor: { checks: [{ unit: { name: db.service, is: active } }], within: 1m }
        - sql: { sqlite: /srv/shop.db, statements: [DROP TABLE hints] }
        - editFile: { path: /etc/shop/app.toml, set: { /size: 4 } }
        - gitCommit: { message: Fix, changes: [{ flag: pricing }] }
        - notify: { to: [oncall], text: Done }
      verify: { settle: 15s, within: 2m, checks: [{ sqlite: { path: /srv/shop.db, is: intact } }] }
  cooldown: 1m
`;
const POLICIES = SHOP.replace(/ {2}ladder:[\s\S]* {2}cooldown: 1m\n/, LADDER);
const SLOW = `input: [{ series: 'latency{job="shop"}', values: "0.1x7 0.9x7 0.1x80" }]`;
const ACTIONS = `[{ waitFor: { checks: 1 } }, { sql: { on: /srv/shop.db, statements: [DROP TABLE hints] } }, { editFile: { path: /etc/shop/app.toml } }, { gitCommit: { message: Fix } }]`;

test.each([
  [
    'goes through',
    '',
    `actions: ${ACTIONS}, notifications: [{ topic: opened }, { topic: rung }, { topic: message, to: [oncall] }]`,
  ],
  [
    'waits in vain',
    'events: [{ at: 1m, check: { of: "unit db.service", is: "false" } }]',
    'actions: [{ waitFor: {}, outcome: failed }]',
  ],
  [
    'is killed in the middle of SQLite',
    'events: [{ at: 1m, kill: { during: "DROP TABLE" } }]',
    'incidents: [{ phase: asking }]',
  ],
])('a ladder of new steps %s', (_, events, expected) => {
  const result = runSpec(`${SLOW}\n${events}\nexpect: [{ within: 4m, ${expected} }]`, POLICIES);
  expect(result).toMatchObject({ failures: [] });
});

const CONTAINERS = SHOP.replace(
  /do: \[\{ run: .*/,
  `do:
        - container: { compose: /srv/shop/compose.yaml, services: [api], do: down }
        - restore: { target: code, to: lastGood, only: { paths: [compose.yaml] } }
        - container: { names: [cache, api], do: restart }
        - container: { name: api, do: { exec: [pkill, worker] }, repeatable: true }`,
).concat(`---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: code }
spec: { git: { path: /srv/shop } }
`);
const STUCK = `${SLOW.replace('0.9x7 0.1x80', '0.9x200')}
targets: { code: { revision: second, good: [first] } }`;

test.each([
  ['compose', '{ container: { compose: /srv/shop/compose.yaml, services: [api], do: down } }'],
  ['restore', '{ restore: { target: code, to: first, paths: [compose.yaml] } }'],
  ['names', '{ container: { names: [cache, api], do: restart } }'],
  ['exec', '{ container: { name: api, do: { exec: [pkill, worker] } }, outcome: done }'],
])('of containers and targets, %s is held against what is expected', (_, text) => {
  const all = [
    '{ container: { compose: /srv/shop/compose.yaml, services: [api], do: down } }',
    '{ restore: { target: code, to: first, paths: [compose.yaml] } }',
    '{ container: { names: [cache, api], do: restart } }',
    '{ container: { name: api, do: { exec: [pkill, worker] } }, outcome: done }',
  ];
  const expecting = (actions: readonly string[]) =>
    runSpec(
      `${STUCK}\nexpect: [{ within: 4m, rungs: [flags] }, { within: 8m, rungs: [drain], actions: [${actions.join(', ')}] }]`,
      CONTAINERS,
    );
  expect(expecting(all)).toMatchObject({ failures: [] });
  const other = all.map((one) => (one === text ? one.replace(/api|first/, 'other') : one));
  expect(expecting(other).failures).not.toEqual([]);
});
