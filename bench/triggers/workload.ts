import { createServer, type Server } from 'node:http';

/** What 50 services of 4 instances expose, and what a team would watch of each: 5,000 series, 1,000 triggers. */
const SERVICES = 50;
const INSTANCES = 4;
const CODES = ['200', '404', '500', '503'] as const;
const BOUNDS = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '10', '+Inf'] as const;
const GAUGES = [
  'queue_depth',
  'memory_bytes',
  'pool_in_use',
  'open_files',
  'cpu_ratio',
  'lag_seconds',
  'ready',
] as const;

export const SERIES = SERVICES * INSTANCES * (CODES.length + BOUNDS.length + 2 + GAUGES.length);

export type Rule = { readonly name: string; readonly query: string; readonly above: number };

export type ServiceRules = { readonly service: string; readonly rules: readonly Rule[] };

/** Twenty for each service: rate ratios, quantiles, averages, maxima and absences. None of them is ever true. */
export function serviceRules(): ServiceRules[] {
  return Array.from({ length: SERVICES }, (_, index) => ({ service: `s${index}`, rules: rulesOf(`s${index}`) }));
}

function rulesOf(service: string): Rule[] {
  const of = `service="${service}"`;
  const ratio = (window: string, by: string): string =>
    `sum ${by}(rate(http_requests_total{${of},code=~"5.."}[${window}])) / sum ${by}(rate(http_requests_total{${of}}[${window}]))`;
  const quantile = (q: number, window: string, by: string): string =>
    `histogram_quantile(${q}, sum by (${by}) (rate(latency_seconds_bucket{${of}}[${window}])))`;
  return [
    { name: 'errors-5m', query: ratio('5m', ''), above: 0.9 },
    { name: 'errors-1m', query: ratio('1m', ''), above: 0.9 },
    { name: 'errors-instance', query: ratio('5m', 'by (node) '), above: 0.9 },
    { name: 'errors-2m-instance', query: ratio('2m', 'by (node) '), above: 0.9 },
    { name: 'p50', query: quantile(0.5, '5m', 'le'), above: 20 },
    { name: 'p95', query: quantile(0.95, '5m', 'le'), above: 20 },
    { name: 'p99', query: quantile(0.99, '5m', 'le'), above: 20 },
    { name: 'p99-instance', query: quantile(0.99, '2m', 'le, node'), above: 20 },
    { name: 'queue', query: `avg_over_time(queue_depth{${of}}[5m])`, above: 1e6 },
    { name: 'pool', query: `avg(avg_over_time(pool_in_use{${of}}[5m]))`, above: 1e6 },
    { name: 'cpu', query: `avg by (service) (cpu_ratio{${of}})`, above: 1e6 },
    {
      name: 'mean',
      query: `sum(rate(latency_seconds_sum{${of}}[5m])) / sum(rate(latency_seconds_count{${of}}[5m]))`,
      above: 1e6,
    },
    { name: 'memory', query: `max(memory_bytes{${of}})`, above: 1e15 },
    { name: 'memory-peak', query: `max(max_over_time(memory_bytes{${of}}[5m]))`, above: 1e15 },
    { name: 'files', query: `max_over_time(open_files{${of}}[5m])`, above: 1e6 },
    { name: 'lag', query: `max by (node) (lag_seconds{${of}})`, above: 1e6 },
    { name: 'gone', query: `absent(ready{${of}})`, above: 0 },
    { name: 'gone-requests', query: `absent(http_requests_total{${of},code="200"})`, above: 0 },
    { name: 'gone-a-while', query: `absent_over_time(ready{${of}}[1m])`, above: 0 },
    { name: 'too-few-ready', query: `absent(sum(ready{${of}}) >= 1)`, above: 0 },
  ];
}

/** The fixed part of each line; only the value changes. */
function seriesNames(): { counters: string[]; gauges: string[] } {
  const counters: string[] = [];
  const gauges: string[] = [];
  for (let service = 0; service < SERVICES; service += 1) {
    for (let instance = 0; instance < INSTANCES; instance += 1) {
      const own = `service="s${service}",node="n${instance}"`;
      counters.push(...CODES.map((code) => `http_requests_total{${own},code="${code}"}`));
      counters.push(...BOUNDS.map((le) => `latency_seconds_bucket{${own},le="${le}"}`));
      counters.push(`latency_seconds_sum{${own}}`, `latency_seconds_count{${own}}`);
      gauges.push(...GAUGES.map((name) => `${name}{${own}}`));
    }
  }
  return { counters, gauges };
}

/** One answer for all who ask within half a second, so that generating it costs nobody's time. */
export function createExporter(): Server {
  const { counters, gauges } = seriesNames();
  const values = new Float64Array(counters.length);
  let body = '';
  let madeAt = Number.NEGATIVE_INFINITY;
  const refresh = (): void => {
    if (performance.now() - madeAt < 500) return;
    madeAt = performance.now();
    const lines = counters.map((name, i) => {
      values[i] = (values[i] ?? 0) + Math.floor(Math.random() * 10);
      return `${name} ${values[i]}`;
    });
    for (const name of gauges) lines.push(`${name} ${(1 + Math.random() * 100).toFixed(3)}`);
    body = `${lines.join('\n')}\n`;
  };
  return createServer((_request, response) => {
    refresh();
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(body);
  });
}
