import type { PolicySet } from '../../src/core/model/desired.ts';
import { loadPolicies } from '../../src/policy/load.ts';
import { serviceRules } from './workload.ts';

/** The workload as policies, one for each service, and the source that scrapes it every second. */
export function policyFile(metricsUrl: string): string {
  const documents = [
    {
      apiVersion: 'revertd.dev/v1',
      kind: 'MetricSource',
      metadata: { name: 'workload' },
      spec: { interval: '1s', scrape: { targets: [metricsUrl], timeout: '900ms' } },
    },
    ...serviceRules().map(({ service, rules }) => ({
      apiVersion: 'revertd.dev/v1',
      kind: 'RollbackPolicy',
      metadata: { name: service },
      spec: {
        triggers: rules.map(({ name, query, above }) => ({
          name,
          query,
          above,
          for: '30s',
          severity: 'critical',
          ...(query.startsWith('absent') ? { noData: 'clear' } : {}),
        })),
        ladder: [
          {
            rung: 'undo',
            do: [{ http: { method: 'POST', url: metricsUrl, repeatable: true } }],
            verify: { settle: '1s', within: '20s' },
          },
        ],
        cooldown: '10m',
        rto: '1m',
      },
    })),
  ];
  // JSON is YAML.
  return documents.map((document) => JSON.stringify(document)).join('\n---\n');
}

export function loadWorkload(metricsUrl: string): PolicySet {
  const file = { path: 'workload.yaml', bytes: Buffer.from(policyFile(metricsUrl)) };
  const result = loadPolicies([file], { revision: 'bench', host: {}, hostLabels: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics.slice(0, 3)));
  return result.desired;
}
