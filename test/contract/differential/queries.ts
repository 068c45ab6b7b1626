import { ELEMENTWISE, OVER_RANGES } from './function-lists.ts';

const COUNTERS = ['requests_total', 'requests_total{code="500"}', 'work_seconds_total', 'latency_seconds_count'];
const GAUGES = ['temperature', 'odd', 'sometimes', 'session', 'up', 'delayed_level', 'flip', 'steady'];
const BUCKETS = 'latency_seconds_bucket';

/** Several hundred queries over what the exporter has, none of which lies about its types. */
export function generateQueries(): string[] {
  return [
    ...new Set([
      ...selectors(),
      ...overRanges(),
      ...elementwise(),
      ...aggregations(),
      ...binaries(),
      ...sets(),
      ...histograms(),
      ...labels(),
      ...shifted(),
      ...subqueries(),
      ...absences(),
      ...failing(),
    ]),
  ];
}

function selectors(): string[] {
  const matched = [
    'requests_total{code=~"4..|5.."}',
    'requests_total{code!~"2.*",path!="/"}',
    'requests_total{path=~"/ü.*"}',
    'session{id=~"1|2|3|4|5|6|7|8"}',
    '{__name__=~"latency_seconds_(sum|count)",route="good"}',
    '{job="shop",instance!=""}',
    'up{nothing=""}',
    'build{version=~"1.[0-2]"}',
    'nothing_at_all',
  ];
  return [...matched, ...COUNTERS, ...GAUGES, BUCKETS];
}

function overRanges(): string[] {
  const plain = OVER_RANGES.flatMap((name, i) =>
    [...COUNTERS, ...GAUGES].map((metric, k) => `${name}(${metric}[${rangeOf(i + k)}])`),
  );
  const parameters = ['temperature', 'odd', 'sometimes', 'requests_total', 'delayed_level'].flatMap((metric) => [
    `quantile_over_time(0.9, ${metric}[6s])`,
    `quantile_over_time(-1, ${metric}[2s])`,
    `quantile_over_time(1.5, ${metric}[2s])`,
    `predict_linear(${metric}[8s], 60)`,
    `double_exponential_smoothing(${metric}[5s], 0.3, 0.6)`,
  ]);
  return [...plain, ...parameters];
}

/** From less than two scrapes to most of the run. */
function rangeOf(index: number): string {
  const ranges = ['3s', '500ms', '10s', '1s', '1700ms', '25s'];
  return ranges[index % ranges.length] ?? '3s';
}

function elementwise(): string[] {
  const numbers = ELEMENTWISE.numbers.flatMap((name) => [
    `${name}(temperature)`,
    `${name}(odd)`,
    `${name}(temperature / 50)`,
  ]);
  const dates = ELEMENTWISE.dates.flatMap((name) => [`${name}()`, `${name}(timestamp(up))`, `${name}(steady * 1e7)`]);
  return [
    ...numbers,
    ...dates,
    'clamp(temperature, 5, 20)',
    'clamp(temperature, 20, 5)',
    'clamp_min(odd, 0)',
    'clamp_max(odd, 0)',
    'round(temperature, 5)',
    'round(odd, 0.25)',
    'timestamp(requests_total)',
    'timestamp(delayed_level)',
    'timestamp(timestamp(up))',
    'time() - timestamp(sometimes)',
    'scalar(steady{instance!=""})',
    'scalar(work_seconds_total) + 1',
    'vector(time())',
    'vector(1) + on() group_right() temperature',
    'pi() * 2',
    '-temperature',
    '+odd',
    '-(-requests_total)',
  ];
}

function aggregations(): string[] {
  const operators = ['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'];
  const inputs = ['requests_total', 'temperature', 'odd', 'session', 'rate(requests_total[4s])'];
  const shapes = [
    (op: string, input: string): string => `${op}(${input})`,
    (op: string, input: string): string => `${op} by (instance, code) (${input})`,
    (op: string, input: string): string => `${op} without (path, room, kind) (${input})`,
  ];
  const plain = operators.flatMap((op) => inputs.flatMap((input) => shapes.map((shape) => shape(op, input))));
  const withParameter = ['requests_total', 'temperature', 'rate(requests_total[4s])'].flatMap((input) => [
    `topk(3, ${input})`,
    `bottomk(2, ${input})`,
    `topk by (instance) (1, ${input})`,
    `quantile(0.8, ${input})`,
    `quantile by (instance) (0.5, ${input})`,
    `quantile(1.1, ${input})`,
    `count_values("seen", round(${input}))`,
    `count_values by (instance) ("seen", round(${input}))`,
    `sort(${input})`,
    `sort_desc(${input})`,
  ]);
  return [...plain, ...withParameter];
}

function binaries(): string[] {
  const arithmetic = ['+', '-', '*', '/', '%', '^', 'atan2'];
  const comparisons = ['==', '!=', '>', '<', '>=', '<='];
  const withScalar = [...arithmetic, ...comparisons].flatMap((op) => [
    `temperature ${op} 12.5`,
    `12.5 ${op} temperature`,
    `odd ${op} 0`,
    `3 ${op === '==' || op === '!=' || /[<>]/.test(op) ? `${op} bool` : op} 2`,
  ]);
  const matched = [...arithmetic, ...comparisons].flatMap((op) => [
    `temperature ${op} ignoring(instance) temperature{instance=~".*"} offset 2s`,
    `requests_total{code="500"} ${op} ignoring(code) requests_total{code="200"}`,
    `requests_total{code="404"} ${op} on(instance, path) requests_total{code="200"}`,
    `requests_total ${op} on(instance) group_left() work_seconds_total`,
    `work_seconds_total ${op} on(instance) group_right() requests_total{code="200"}`,
    `odd ${op} odd`,
  ]);
  const bools = comparisons.flatMap((op) => [`temperature ${op} bool 10`, `odd ${op} bool on(instance, kind) odd`]);
  return [
    ...withScalar,
    ...matched,
    ...bools,
    'requests_total * on(instance, job) group_left(version) build',
    'sum by (instance) (rate(requests_total{code="500"}[5s])) / sum by (instance) (rate(requests_total[5s])) > 0.01',
    '1 - sum(rate(requests_total{code=~"5.."}[10s])) / sum(rate(requests_total[10s]))',
    '(temperature - temperature offset 3s) / 3',
    '2 ^ 3 ^ 2 - -temperature % 7',
  ];
}

function sets(): string[] {
  return ['and', 'or', 'unless'].flatMap((op) => [
    `requests_total ${op} requests_total{code="500"}`,
    `temperature ${op} on(instance) sometimes`,
    `temperature ${op} ignoring(room, half) sometimes`,
    `(temperature > 15) ${op} (temperature < 30)`,
    `sometimes ${op} vector(0)`,
    `sum(requests_total{code="500"}) ${op} vector(0)`,
  ]);
}

function histograms(): string[] {
  const quantiles = ['-0.1', '0', '0.5', '0.9', '0.99', '1', '1.1', 'NaN'];
  return quantiles.flatMap((q) => [
    `histogram_quantile(${q}, ${BUCKETS})`,
    `histogram_quantile(${q}, rate(${BUCKETS}[5s]))`,
    `histogram_quantile(${q}, sum by (le) (rate(${BUCKETS}[10s])))`,
    `histogram_quantile(${q}, sum by (le, instance) (increase(${BUCKETS}{route="good"}[3s])))`,
    `histogram_quantile(${q}, ${BUCKETS}{le!="+Inf"})`,
  ]);
}

function labels(): string[] {
  return [
    'label_replace(temperature, "place", "$1-$2", "room", "(.)(.*)")',
    'label_replace(temperature, "room", "", "room", "attic")',
    'label_replace(requests_total, "path", "other", "path", "/b.*")',
    'label_replace(up, "new", "x", "absent", "")',
    'label_join(requests_total, "what", "-", "code", "path")',
    'label_join(temperature, "room", "", "absent")',
    'sum by (place) (label_replace(temperature, "place", "$1", "room", "(at|out).*"))',
  ];
}

function shifted(): string[] {
  const offsets = ['2s', '-1500ms', '300ms', '15s'];
  const anchors = ['@ start()', '@ end()', '@ T'];
  return [
    ...offsets.flatMap((offset) => [
      `temperature offset ${offset}`,
      `sometimes offset ${offset}`,
      `rate(requests_total[4s] offset ${offset})`,
      `sum_over_time(odd[2s] offset ${offset})`,
      `sum(requests_total) - sum(requests_total offset ${offset})`,
    ]),
    ...anchors.flatMap((anchor) => [
      `temperature ${anchor}`,
      `sometimes ${anchor} offset 1s`,
      `increase(requests_total[7s] ${anchor})`,
      `requests_total - requests_total ${anchor}`,
      `max_over_time(temperature[3s:500ms] ${anchor})`,
      `topk(2, rate(requests_total[5s] ${anchor}))`,
    ]),
  ];
}

function subqueries(): string[] {
  return [
    'avg_over_time(temperature[5s:1s])',
    'max_over_time(rate(requests_total[2s])[10s:1s])',
    'min_over_time(sum(up)[6s:500ms])',
    'rate(requests_total[5s:200ms])',
    'increase(work_seconds_total[8s:300ms])',
    'sum_over_time(up[10s:])',
    'quantile_over_time(0.5, rate(work_seconds_total[3s])[10s:700ms])',
    'last_over_time(sometimes[4s:1s])',
    'count_over_time(sometimes[9s:400ms] offset 2s)',
    'deriv(temperature[6s:600ms])',
    'changes(flip[7s:250ms])',
    'resets(requests_total[20s:1s])',
    'stddev_over_time((temperature * 2)[5s:500ms])',
    'max_over_time(deriv(rate(requests_total[2s])[5s:500ms])[6s:1s])',
    'present_over_time(session[10s:1s])',
    'absent_over_time(sometimes[3s:500ms])',
    'avg_over_time(histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[3s])))[8s:1s])',
    'sum_over_time(count_values("v", flip)[4s:1s])',
    'min_over_time((temperature offset 1s)[4s:1s] offset 1s)',
    'max_over_time(vector(time())[5s:1s])',
  ];
}

function absences(): string[] {
  return [
    'absent(sometimes)',
    'absent(nothing_at_all{job="shop",code=~"x"})',
    'absent(up)',
    'absent(sum(sometimes))',
    'absent_over_time(sometimes[1s])',
    'absent_over_time(nothing_at_all{a="b"}[5s])',
    'absent_over_time(up[5s])',
    'absent(sometimes{half="second",half="first"})',
  ];
}

/** Right by their types, and refused for what the data hold, on most instants. */
function failing(): string[] {
  return [
    'requests_total / on(instance) work_seconds_total',
    'work_seconds_total / on(instance) requests_total',
    'requests_total + on(instance) group_left() requests_total',
    'sum_over_time({__name__=~"latency_seconds_(sum|count)"}[2s])',
    'label_replace(temperature, "room", "same", "", "")',
    'label_join(requests_total, "code", "")',
  ];
}
