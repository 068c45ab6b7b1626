import { describe, expect, test } from 'vitest';
import { loadSpec, runSpec, SHOP } from '../../test/support/policy-tests.ts';
import { explainFailure, formatDifference } from './explain-result.ts';
import { junitReport } from './junit.ts';
import { runTest } from './run-test.ts';

/** Slow from the second minute on, for two minutes. */
const SLOW = `input: [{ series: 'latency{job="shop"}', values: "0.1x7 0.9x7 0.1x80" }]`;
/** The rung is entered at 2m30s. */
const ROLLED_BACK = 'flags: { pricing: "off" }, documents: { /etc/shop/env: { PRICING: "false" } }';

describe('a test passes', () => {
  test.each([
    [
      'when nothing happens',
      `expect: [{ at: 10m, nothing: true, incidents: [], holds: [], flags: { pricing: "on" } }]`,
    ],
    [
      'when a rollback takes its course',
      `${SLOW}
expect:
  - { at: 2m15s, triggers: { guard/slow: pending }, nothing: true }
  - at: 2m30s
    triggers: { guard/slow: firing }
    rungs: [flags]
    actions: [{ setFlag: { flag: pricing, to: safe } }, { service: { unit: shop.service, do: restart }, outcome: done }]
    notifications: [{ topic: opened, to: [oncall], policy: guard }, { topic: rung, incident: INC-1 }]
    ${ROLLED_BACK.replaceAll(', documents', '\n    documents')}
  - { within: 5m, incidents: [{ id: INC-1, phase: resolved, rung: flags }], notifications: [{ topic: resolved }, { topic: report }] }
  - { at: 6m, nothing: true, holds: [{ id: "latch:pricing:INC-1", kind: latch, variant: "off" }] }`,
    ],
    [
      'with a halt, which is lifted',
      `${SLOW}
events: [{ at: 1m, halt: maintenance }, { at: 3m, resume: true }]
expect:
  - { at: 2m45s, triggers: { guard/slow: firing }, actions: [], flags: { pricing: "on" } }
  - { at: 3m, flags: { pricing: "off" } }`,
    ],
    [
      'with a commit that lifts the latch',
      `${SLOW}
events: [{ at: 8m, commit: { Flag/pricing: { variants: { "on": 1, "off": 0 } } } }]
expect:
  - { at: 7m45s, holds: [{ kind: latch }] }
  - { at: 8m, holds: [], flags: { pricing: "on" }, documents: { /etc/shop/env: { PRICING: "1" } } }`,
    ],
    [
      'with a commit that removes the policy, and one that adds another',
      `${SLOW}
events:
  - { at: 30s, commit: { RollbackPolicy/guard: null } }
  - at: 31s
    commit: { RollbackPolicy/other: { triggers: [{ name: slow, query: latency, above: 0.5, severity: warning }], notify: [oncall] } }
expect:
  - { at: 2m, triggers: { other/slow: firing }, notifications: [{ topic: warning }] }
  - { at: 10m, incidents: [], flags: { pricing: "on" } }`,
    ],
    [
      'with a failing check, an unknown step after a kill, and an answer',
      `input: [{ series: 'latency{job="shop"}', values: "0.9x80" }]
events:
  - { at: 0s, check: { of: /health, is: "false" } }
  - { at: 0s, kill: { during: run /usr/bin/drain, away: 30s } }
  - { at: 7m, answer: { incident: INC-1, with: next } }
expect:
  - { within: 3m, rungs: [flags] }
  - { within: 5m, rungs: [drain], actions: [{ run: { argv: [/usr/bin/drain] }, outcome: unknown }] }
  - { within: 6m, incidents: [{ phase: asking, rung: drain }], notifications: [{ topic: rung }, { topic: asking }], actions: [] }
  - { within: 8m, incidents: [{ phase: exhausted }], actions: [] }`,
    ],
    [
      'with a step that fails, so that the next rung begins',
      `${SLOW}
events: [{ at: 0s, fail: { step: write /etc/shop/env, times: 100 } }]
expect: [{ within: 10m, rungs: [flags, drain] }]`,
    ],
    [
      'with a source that is silent',
      `input: [{ series: 'latency{job="shop"}', values: "0.1x80" }]
events: [{ at: 1m, silent: { source: shop, for: 1m } }]
expect:
  - { at: 45s, triggers: { guard/slow: inactive } }
  - { at: 1m45s, triggers: { guard/slow: unknown } }
  - { at: 2m, triggers: { guard/slow: inactive }, nothing: true }`,
    ],
    [
      'with drift that is set back',
      `events: [{ at: 1m, edit: { /etc/shop/env: { PRICING: "maybe" } } }]
expect: [{ at: 1m, notifications: [{ topic: drift }], documents: { /etc/shop/env: { PRICING: "true" } } }]`,
    ],
    [
      'with another value at first sight, which is adopted',
      `flags: { pricing: "off" }
events: [{ at: 1m, adopt: Flag/pricing }]
expect:
  - { at: 45s, holds: [{ kind: adoption, flag: pricing }], documents: { /etc/shop/env: { PRICING: "false" } } }
  - { at: 1m, holds: [], documents: { /etc/shop/env: { PRICING: "true" } } }`,
    ],
    [
      'with an override that ends, and a restart',
      `events: [{ at: 1m, override: { flag: pricing, variant: "off", for: 2m } }, { at: 2m, restart: 10s }]
expect:
  - { at: 2m45s, ${ROLLED_BACK} }
  - { within: 3m15s, holds: [], flags: { pricing: "on" } }`,
    ],
    [
      'with an incident that is aborted and a latch that is lifted',
      `${SLOW}
events: [{ at: 2m45s, abort: INC-1 }, { at: 10m, lift: "latch:pricing:INC-1" }]
expect:
  - { at: 2m45s, incidents: [{ phase: aborted }] }
  - { at: 10m, flags: { pricing: "on" } }`,
    ],
  ])('%s', (_name, spec) => {
    const result = runSpec(spec);
    expect(result.failures.flatMap((failure) => explainFailure(result, failure))).toEqual([]);
    expect(result.judged).toBeGreaterThan(0);
  });
});

describe('a test fails', () => {
  test('with its place, each difference, and what happened', () => {
    const result = runSpec(
      `${SLOW}
expect:
  - { at: 2m30s, triggers: { guard/slow: pending }, incidents: [], actions: [{ setFlag: { flag: pricing } }] }`,
    );
    const [failure] = result.failures;
    expect(failure?.origin).toMatchObject({ file: 'tests.yaml', line: 7 });
    expect(failure?.at).toBe(150_000);
    expect(failure?.differences.map(formatDifference)).toEqual([
      'triggers.guard/slow: expected "pending", got "firing"',
      'incidents[0]: expected nothing, got {"id":"INC-1","policy":"guard","phase":"verifying","rung":"flags"}',
      'actions[1]: expected nothing, got {"service":{"unit":"shop.service","do":"restart"},"outcome":"done"}',
    ]);
    expect(result.failures.flatMap((one) => explainFailure(result, one)).join('\n')).toContain(
      '2m30s  trigger guard/slow: pending → firing at 0.9',
    );
  });

  test('when something happens where nothing should', () => {
    const { failures } = runSpec(`${SLOW}\nexpect: [{ at: 10m, nothing: true }]`);
    expect(failures.flatMap(({ differences }) => differences.map(({ path }) => path))).toEqual([['nothing']]);
  });

  test('when a person asks for what cannot be', () => {
    const { failures } = runSpec(`events: [{ at: 1m, abort: INC-7 }]\nexpect: [{ at: 2m, nothing: true }]`);
    expect(failures[0]?.message).toContain('`abort` is refused: there is no open incident INC-7');
  });

  test('in a report for CI servers, as well-formed XML', () => {
    const result = { ...runSpec(`${SLOW}\nexpect: [{ at: 10m, nothing: true }]`), tookMs: 12, name: 'a<b>&"\u0001' };
    const report = junitReport([result], []);
    expect(report).toContain('<testsuite name="tests.yaml" tests="1" failures="1" errors="0" time="0.012">');
    expect(report).toContain('<testcase name="a&lt;b&gt;&amp;&quot;\u{FFFD}"');
    expect(report.replaceAll(/<[^<>]*>/g, '')).not.toMatch(/[<>]|&(?!amp;|lt;|gt;|quot;)/);
  });
});

test('a test in which there is no end of things to decide is ended', () => {
  const steps = Array.from({ length: 1_100 }, (_, index) => `{ run: { argv: [/usr/bin/step, "${index}"] } }`);
  const patch = `{ ladder: [{ rung: long, do: [${steps.join(', ')}] }] }`;
  const { failures } = runSpec(
    `${SLOW}\nevents: [{ at: 0s, commit: { RollbackPolicy/guard: ${patch} } }]\nexpect: [{ at: 5m, nothing: true }]`,
  );
  expect(failures[0]?.message).toContain('does not come to rest: 1000 decisions at one instant');
}, 60_000);

test.each([
  ['answers, and the figure is good', '3', '', 'resolved'],
  ['answers, and the figure is bad', '0', '', 'exhausted'],
  ['does not answer', '3', 'events: [{ at: 2m31s, silent: { source: prod, for: 5m } }]', 'asking'],
])('a check that is asked of a server which %s', (_case, figure, events, phase) => {
  const remote = `${SHOP.slice(0, SHOP.indexOf('    - rung: drain'))}  cooldown: 1m
---
apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: prod }
spec: { prometheus: { url: "http://127.0.0.1:9090" } }
`.replace('checks: [', 'checks: [{ query: { expr: orders, above: 0, source: prod } }, ');
  const { tests, diagnostics } = loadSpec(
    `input:
  - { series: 'latency{job="shop"}', values: "0.1x7 0.9x7 0.1x80" }
  - { series: 'orders{job="elsewhere"}', values: "${figure}x100" }
${events}
expect: [{ within: 6m, incidents: [{ phase: ${phase} }] }]`,
    remote,
  );
  expect(diagnostics).toEqual([]);
  expect(tests.map((one) => runTest(one).failures)).toEqual([[]]);
});
