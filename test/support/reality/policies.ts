import { EXCHANGE, RATES_FILE } from './exchange.ts';
import { PATHS, UNIT, URL } from './storefront.ts';

const SOURCES = `apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: storefront }
spec:
  interval: 500ms
  scrape: { targets: ["${URL}/metrics"], timeout: 400ms }
---
apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: storefront-health }
spec:
  interval: 1s
  probe: { http: { url: "${URL}/health", status: 200 } }
---
apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: storefront-data }
spec:
  interval: 1s
  sql:
    sqlite: { path: ${PATHS.database} }
    queries: [{ name: storefront_unpriced_products, query: "SELECT count(*) FROM products WHERE cents = 0" }]
`;

/** What git wants of the flags. */
type Wants = { readonly recommendations?: 'on' | 'off'; readonly liveRates?: 'on' | 'off' };

export const flags = ({ recommendations = 'on', liveRates = 'on' }: Wants = {}): string => `apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: recommendations }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "${recommendations}"
  safeVariant: "off"
  deliver:
    - envFile: { path: ${PATHS.env}, key: RECOMMENDATIONS }
      then: [{ service: { unit: ${UNIT}, do: restart } }]
---
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: live-rates }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "${liveRates}"
  safeVariant: "off"
  deliver:
    - envFile: { container: ${EXCHANGE}, path: ${RATES_FILE}, key: LIVE_RATES }
      then: [{ container: { name: ${EXCHANGE}, do: restart, grace: 2m, timeout: 5m } }]
`;

/** `stopWithin`: how long the service may take to end before code is moved. */
export const target = (stopWithin = '5m'): string => `apiVersion: revertd.dev/v1
kind: Target
metadata: { name: storefront-code }
spec:
  git:
    path: ${PATHS.checkout}
    track: { ref: main, interval: 5s }
    build: [{ run: { argv: [/bin/sh, build.sh], timeout: 20s, repeatable: true } }]
    publish: { from: dist, to: ${PATHS.release} }
    activate: [{ waitFor: { checks: [{ http: { url: "${URL}/health" } }], within: 2m } }]
    bake: 1s
  quiesce: [{ service: { unit: ${UNIT}, do: stop, timeout: ${stopWithin} } }]
`;

/** From the flag over the code to the database, where people have to agree. */
export const ladder = ({ suspend = false }: { readonly suspend?: boolean } = {}): string => `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: storefront }
spec:
  suspend: ${suspend}
  triggers:
    - { name: slow, query: storefront_order_seconds, above: 0.5, for: 1s, severity: critical }
    - { name: unpaid, query: storefront_unpaid_ratio, above: 0.2, for: 1s, severity: critical }
    - { name: imports, query: storefront_unpriced_products, above: 1000, for: 1s, severity: warning }
    - { name: down, query: 'probe_success{job="storefront-health"}', below: 1, for: 1m, severity: critical }
  ladder:
    - rung: feature
      do: [{ setFlag: { flag: recommendations, to: safe } }]
      verify: { settle: 1s, within: 15s, checks: [{ http: { url: "${URL}/health", bodyContains: ok } }] }
    - rung: code
      do: [{ restore: { target: storefront-code, to: lastGood } }]
      verify:
        settle: 1s
        within: 1m
        checks:
          - unit: { name: ${UNIT}, is: active }
          - query: { expr: 'probe_success{job="storefront-health"}', equals: 1 }
    - rung: data
      notify: [managers]
      dataLoss:
        text: what was imported since the dump
        count: { products: { sql: { sqlite: ${PATHS.database}, query: SELECT count(*) FROM products WHERE cents = 0 } } }
      approval: { roles: { manager: 1, dba: 1 }, within: 10m }
      do:
        - setFlag: { flag: live-rates, to: safe, timeout: 5m }
        - sql:
            sqlite: ${PATHS.database}
            file: ${PATHS.dump}
            require:
              - { query: SELECT count(*) FROM products, above: 0 }
              - { query: SELECT count(*) FROM products WHERE cents = 0, equals: 0 }
            lockTimeout: 4m
            timeout: 5m
            repeatable: true
      onFailure: [{ notify: { to: [managers], text: "The dump is back, and did not help." } }]
      verify:
        settle: 1s
        within: 20s
        checks: [{ sqlite: { path: ${PATHS.database}, is: intact } }, { container: { name: ${EXCHANGE}, is: running } }]
  cooldown: 10s
  rto: 5m
  notify: [oncall]
`;

/** Another team's eye on the same code, which sees it later. */
export const NEIGHBOUR = `apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: checkout-pace }
spec:
  triggers: [{ name: pace, query: storefront_order_seconds, above: 0.4, for: 4s, severity: critical }]
  ladder:
    - rung: back
      do: [{ restore: { target: storefront-code, to: lastGood } }]
      verify: { settle: 1s, within: 1m }
  cooldown: 10s
  notify: [oncall]
`;

const notifier = (name: string, inbox: string, on = ''): string => `apiVersion: revertd.dev/v1
kind: Notifier
metadata: { name: ${name} }
spec: { webhook: { url: "${inbox}/${name}" }${on} }
`;

/** The owners belong to no policy. */
export const policyFiles = (inbox: string): Readonly<Record<string, string>> => ({
  'sources.yaml': SOURCES,
  'flags.yaml': flags(),
  'target.yaml': target(),
  'ladder.yaml': ladder(),
  'people.yaml': [
    notifier('oncall', inbox),
    notifier('managers', inbox),
    notifier('owners', inbox, ', on: [exhausted]'),
  ].join('---\n'),
});
