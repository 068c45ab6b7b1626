import { serviceRules } from './workload.ts';

/** The workload's triggers as alerting rules of Prometheus, a group for each service. JSON is YAML. */
export function ruleFile(): string {
  const groups = serviceRules().map(({ service, rules }) => ({
    name: service,
    interval: '1s',
    rules: rules.map(({ name, query, above }) => ({
      alert: `${service}-${name}`,
      expr: `(${query}) > ${above}`,
      for: '30s',
    })),
  }));
  return JSON.stringify({ groups });
}
