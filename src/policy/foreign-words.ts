/** What a word of another tool is called here. */
export type Meant = {
  /** The key, if there is one that takes its place. */
  readonly key?: string;
  readonly advice: string;
};

function called(key: string): Meant {
  return { key, advice: `here it is called \`${key}\`` };
}

/** Keys that people bring along from other tools, by the title of the schema's object that they stand in. */
const FOREIGN_KEYS: Readonly<Record<string, Readonly<Record<string, Meant>>>> = {
  Metadata: {
    namespace: { advice: 'there are no namespaces; names are unique within a kind, and `labels` group' },
  },
  Hosts: {
    matchExpressions: { key: 'matchLabels', advice: 'write `matchLabels: { role: web }`, all of which must be there' },
  },
  'RollbackPolicy spec': {
    enabled: { advice: 'what is there is in force; write `suspend: true` to keep it and do nothing' },
    actions: called('ladder'),
    rollback: called('ladder'),
    alerts: called('triggers'),
    rules: called('triggers'),
  },
  Trigger: {
    alert: called('name'),
    expr: called('query'),
    expression: called('query'),
    promql: called('query'),
    duration: called('for'),
    threshold: { key: 'above', advice: 'write `above: 0.5` or `below: 0.5`' },
    operator: { key: 'above', advice: 'write `above: 0.5` or `below: 0.5`' },
    annotations: { advice: 'annotations belong to the policy, in its `metadata`' },
    labels: { advice: 'labels belong to the policy, in its `metadata`' },
    keep_firing_for: { advice: 'write `clear: { below: 0.3, for: 1m }`' },
  },
  Rung: {
    name: called('rung'),
    steps: called('do'),
    actions: called('do'),
    check: { key: 'verify', advice: 'write `verify: { checks: [...] }`' },
    checks: { key: 'verify', advice: 'write `verify: { checks: [...] }`' },
  },
  Limit: { count: called('rollbacks'), max: called('rollbacks'), period: called('per'), window: called('per') },
  Step: {
    restart: { key: 'service', advice: 'write `service: { unit: app.service, do: restart }`' },
    systemd: { key: 'service', advice: 'write `service: { unit: app.service, do: restart }`' },
    exec: { key: 'run', advice: 'write `run: { argv: [PROGRAM, ARGUMENT] }`; there is no shell' },
    shell: { key: 'run', advice: 'write `run: { argv: [PROGRAM, ARGUMENT] }`; there is no shell' },
    command: { key: 'run', advice: 'write `run: { argv: [PROGRAM, ARGUMENT] }`; there is no shell' },
    flag: { key: 'setFlag', advice: 'write `setFlag: { flag: NAME, to: safe }`' },
  },
  'Step setFlag': {
    value: { key: 'to', advice: 'write `to: safe` or `to: { variant: NAME }`' },
    variant: { key: 'to', advice: 'write `to: { variant: NAME }`' },
    name: called('flag'),
  },
  'Flag spec': {
    value: { advice: 'write its values as `variants: { "on": true, "off": false }`, and `defaultVariant`' },
    default: called('defaultVariant'),
    enabled: { key: 'state', advice: 'write `state: ENABLED` or `state: DISABLED`' },
    safe: called('safeVariant'),
    places: called('deliver'),
  },
  'MetricSource spec': {
    scrape_interval: called('interval'),
    targets: { key: 'scrape', advice: 'write `scrape: { targets: [...] }`' },
    url: { key: 'scrape', advice: 'write `scrape: { targets: ["http://127.0.0.1:9464/metrics"] }`' },
  },
  'Notifier spec': {
    url: { key: 'webhook', advice: 'write `webhook: { url: ... }`' },
    topics: called('on'),
    events: called('on'),
  },
};

export function meantByForeignKey(title: string, key: string): Meant | undefined {
  const words = FOREIGN_KEYS[title];
  return words !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
}

/** Habits of other query languages, by what stands at the place of the fault. */
const FOREIGN_QUERIES: readonly (readonly [RegExp, string])[] = [
  [/^=[^=~]/, 'equality is written =='],
  [/^&&?/, 'write `and`'],
  [/^\|\|?/, 'write `or`'],
  [/^\$_*\w/, 'variables of Grafana are not known here; write a duration such as 5m'],
];

/** What is probably meant by a query that is not PromQL; `rest` is its text from the fault on. */
export function meantByForeignQuery(text: string, offset: number): string | undefined {
  const rest = text.slice(offset);
  const found = FOREIGN_QUERIES.find(([pattern]) => pattern.test(rest))?.[1];
  if (found !== undefined) return found;
  const before = text.slice(0, offset);
  if (/\b(rate|increase|irate|delta|\w+_over_time)\(\s*$/.test(before)) return 'a range is missing: `rate(x[5m])`';
  if (/\bhistogram_quantile\(\s*$/.test(before)) return 'the quantile comes first: `histogram_quantile(0.95, x)`';
  if (/^\s*select\b/i.test(text)) return 'this is SQL; a MetricSource of type `sql` makes a metric of it';
  if (/%\s*$/.test(text)) return 'a percentage is a number: 0.9 of a share, or 90 of 100';
  if (/\[\s*\d+\s+(ms|s|m|h|d|w)\s*\]/.test(text)) return 'a duration has no space in it: [5m]';
  if (/\b(by|without)\s+[a-z_]\w*/i.test(text)) return 'labels stand in parentheses: `sum by (job) (x)`';
  return undefined;
}
