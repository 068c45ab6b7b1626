import { describe, expect, test } from 'vitest';
import { loadSpec, runSpec } from '../../test/support/policy-tests.ts';

const POLICIES = `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: data }
spec: { sqlite: { path: /srv/app.db } }
---
apiVersion: revertd.dev/v1
kind: PointPolicy
metadata: { name: hourly }
spec:
  targets: [data]
  take: { schedule: "0 * * * *", before: [rollback] }
  retain: { last: 2 }
  prune: { grace: 90m }
---
apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: app }
spec: { scrape: { targets: ["http://127.0.0.1:9464/metrics"] } }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: guard }
spec:
  triggers: [{ name: broken, query: broken, above: 0, for: 1m, severity: critical }]
  ladder:
    - rung: data
      do: [{ restore: { target: data, to: latestValid } }]
      verify: { settle: 1m, within: 10m }
  cooldown: 1h
`;

function failuresOf(spec: string): readonly string[] {
  return runSpec(spec, POLICIES).failures.map(
    ({ message, differences }) => `${message} ${JSON.stringify(differences)}`,
  );
}

const CALM = `interval: 1m
input: [{ series: 'broken{job="app"}', values: "0x400" }]`;

describe('points in a test', () => {
  test.each([
    [
      'are taken by schedule and pruned by the rules',
      `${CALM}
expect:
  - { at: 30m, points: [] }
  - { at: 1h, points: [{ policy: hourly, state: valid, targets: [data], cause: schedule, at: 60m }], nothing: true }
  - { at: 3h, points: [{ state: pruned, at: 1h }, { state: valid, at: 2h }, { state: valid, at: 3h }] }
  - { at: 4h30m, points: [{ state: pruned, at: 2h }, { state: valid }, { state: valid }] }`,
    ],
    [
      'are kept of what a rung overwrites',
      `interval: 1m
input: [{ series: 'broken{job="app"}', values: "0x89 1x4 0x100" }]
expect:
  - within: 1h40m
    points: [{ at: 1h, cause: schedule }, { policy: hourly, cause: safety }]
    rungs: [data]
    actions: [{ restore: { target: data }, outcome: done }]`,
    ],
    [
      'fail and are found damaged where the test says so',
      `${CALM}
events:
  - { at: 59m, fail: { step: capture } }
  - { at: 1h30m, take: hourly }
  - { at: 119m, fail: { step: validate } }
expect:
  - { at: 1h, points: [{ state: failed }] }
  - { at: 1h5m, points: [{}, { state: valid, cause: schedule, at: 1h5m }] }
  - { at: 1h30m, points: [{}, {}, { state: valid, cause: command }] }
  - { at: 2h, points: [{}, {}, {}, { state: invalid }] }`,
    ],
    [
      'are given up when the daemon is killed in the midst',
      `${CALM}
events: [{ at: 59m, kill: { during: capture, away: 1m } }]
expect: [{ at: 1h2m, points: [{ state: failed }] }]`,
    ],
  ])('%s', (_what, spec) => {
    expect(failuresOf(spec)).toEqual([]);
  });

  test('of flags put each back as a step that sets it would', () => {
    const policies = `${POLICIES.replace('[data]', '[data, switches]').replace('target: data, to', 'target: switches, to')}---
apiVersion: revertd.dev/v1
kind: Target
metadata: { name: switches }
spec: { flags: {} }
---
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast-path }
spec: { state: ENABLED, variants: { "on": true, "off": false }, defaultVariant: "on", safeVariant: "off" }
`;
    const spec = `interval: 1m
input: [{ series: 'broken{job="app"}', values: "0x89 1x4 0x100" }]
events: [{ at: 80m, override: { flag: fast-path, variant: "off" } }]
expect:
  - { at: 85m, flags: { fast-path: "off" } }
  - within: 1h40m
    actions: [{ setFlag: { flag: fast-path, to: { variant: "on" } } }]
    holds: [{ kind: latch, flag: fast-path, variant: "on" }, { kind: override }]
    flags: { fast-path: "on" }`;
    expect(runSpec(spec, policies).failures).toEqual([]);
  });

  test('that are not as expected are shown', () => {
    const [failure] = failuresOf(`${CALM}\nexpect: [{ at: 2h, points: [{ state: valid }, { state: failed }] }]`);
    expect(failure).toContain('{"path":["points",1,"state"],"expected":"failed","got":"valid"}');
  });

  test.each([
    ['events: [{ at: 1m, take: hourl }]\nexpect: [{ at: 2m, points: [] }]', 'E-NO-POINTPOLICY'],
    ['expect: [{ at: 2m, points: [{ policy: hourl }] }]', 'E-NO-POINTPOLICY'],
    ['expect: [{ at: 2m, points: [{ targets: [dta] }] }]', 'E-NO-TARGET'],
    ['expect: [{ at: 2m, points: [{ state: gone }] }]', 'E-VALUE'],
  ])('with a name that there is not are a fault: %s', (spec, code) => {
    expect(loadSpec(spec, POLICIES).diagnostics.map((one) => one.code)).toEqual([code]);
  });
});
