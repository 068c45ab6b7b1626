import { type LoadedTests, loadTests } from '../../src/policytest/load-tests.ts';
import { runTest, type TestResult } from '../../src/policytest/run-test.ts';

/** A shop with a flag, a source, a notifier and a ladder of two rungs. */
export const SHOP = `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: pricing }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "on"
  safeVariant: "off"
  deliver:
    - envFile: { path: /etc/shop/env, key: PRICING }
      then: [{ service: { unit: shop.service, do: restart } }]
---
apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: shop }
spec: { scrape: { targets: ["http://127.0.0.1:9464/metrics"] } }
---
apiVersion: revertd.dev/v1
kind: Notifier
metadata: { name: oncall }
spec: { command: { argv: [/usr/bin/page] } }
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: guard }
spec:
  triggers: [{ name: slow, query: latency, above: 0.5, for: 30s, severity: critical }]
  ladder:
    - rung: flags
      do: [{ setFlag: { flag: pricing, to: safe } }]
      verify: { settle: 15s, within: 2m, checks: [{ http: { url: "http://127.0.0.1/health" } }] }
    - rung: drain
      do: [{ run: { argv: [/usr/bin/drain] } }]
      verify: { settle: 15s, within: 2m }
  cooldown: 1m
  notify: [oncall]
`;

/** A spec of a PolicyTest, as flow YAML, loaded beside the shop's policies. */
export function loadSpec(spec: string, policies = SHOP): LoadedTests {
  const test = `apiVersion: revertd.dev/v1\nkind: PolicyTest\nmetadata: { name: one }\nspec:\n${spec.replaceAll(/^/gm, '  ')}\n`;
  const files = [
    { path: 'shop.yaml', bytes: Buffer.from(policies) },
    { path: 'tests.yaml', bytes: Buffer.from(test) },
  ];
  return loadTests(files, { variables: {}, labels: {} });
}

export function runSpec(spec: string, policies = SHOP): TestResult {
  const { tests, diagnostics } = loadSpec(spec, policies);
  const [test] = tests;
  if (test === undefined) throw new TypeError(diagnostics.map(({ message }) => message).join('\n'));
  return runTest(test);
}
