/**
 * The same policy over the same samples, once evaluated by revertd and once by Debian's Prometheus 2.42: it must walk the
 * same states. Prometheus gets the samples as blocks, so that nothing has to be waited for, and every instant is exact.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Desired } from '../../../src/core/model/desired.ts';
import type { MetricSource, PrometheusType } from '../../../src/core/model/metric-source.ts';
import type { Reading } from '../../../src/core/observed.ts';
import { wantsOf } from '../../../src/core/wants.ts';
import type { Sample } from '../../../src/metrics/batch.ts';
import { systemClock } from '../../../src/metrics/clock.ts';
import { Evaluator } from '../../../src/metrics/evaluator.ts';
import { formatSeries, labelsOf } from '../../../src/metrics/labels.ts';
import { nextSlot, phaseOf } from '../../../src/metrics/phase.ts';
import { createPrometheusClient } from '../../../src/metrics/remote/prometheus-client.ts';
import { RemoteSampling } from '../../../src/metrics/remote/remote-sampling.ts';
import { SampleStore } from '../../../src/metrics/store/sample-store.ts';
import { loadPolicies } from '../../../src/policy/load.ts';
import { createFakeSystemctl } from '../../support/fake-systemctl.ts';
import { unusedPort } from '../../support/loopback.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { findProgram, PeerProcess } from '../../support/peer-process.ts';
import { World } from '../../support/world.ts';
import { policyFile, printed } from '../../tools/policy-fixtures.ts';

const prometheus = findProgram('prometheus');
const promtool = findProgram('promtool');
const installed = prometheus !== undefined && promtool !== undefined;

const INTERVAL_MS = 5000;
const ROUNDS = 240;
const WARM_UP = 30;
/** The instants at which the source `prod` is asked, which are also those of the samples. */
const FIRST = nextSlot(1_700_000_000_000, phaseOf('prod', INTERVAL_MS), INTERVAL_MS);

/** Well, ill, well again with a stretch without traffic, and ill once more. */
function isIll(round: number): boolean {
  return (round >= 60 && round < 100) || (round >= 190 && round < 215);
}

function hasTraffic(round: number): boolean {
  return round < 140 || round >= 160;
}

type Recorded = { readonly at: number; readonly samples: readonly Sample[] };

/** A counter that restarts with each illness' end, a histogram, and gauges, one of which is NaN at times. */
function recording(): Recorded[] {
  const counts = { ok: 0, failed: 0, quick: 0, slow: 0 };
  return Array.from({ length: ROUNDS }, (_, round) => {
    const traffic = hasTraffic(round) ? 50 : 0;
    if (round === 110) counts.ok = counts.failed = 0;
    counts.failed += isIll(round) ? traffic / 5 : 0;
    counts.ok += traffic;
    counts.quick += isIll(round) ? 0 : traffic;
    counts.slow += isIll(round) ? traffic : 0;
    const { ok, failed, quick, slow } = counts;
    const all = quick + slow;
    return {
      at: FIRST + round * INTERVAL_MS,
      samples: [
        sample('requests_total', ok, { code: '200' }),
        sample('requests_total', failed, { code: '500' }),
        sample('request_seconds_bucket', quick, { le: '0.1' }),
        sample('request_seconds_bucket', all, { le: '1' }),
        sample('request_seconds_bucket', all, { le: '+Inf' }),
        sample('queue_length', round % 40 === 0 ? Number.NaN : isIll(round) ? 900 : 10, { queue: 'in' }),
        sample('queue_length', 5, { queue: 'out' }),
      ],
    };
  });
}

function sample(name: string, value: number, labels: Readonly<Record<string, string>>): Sample {
  const all = { __name__: name, job: 'app', instance: 'app:80', ...labels };
  return { labels: labelsOf(Object.entries(all)), value };
}

/** Series after series, as OpenMetrics wants it, each in the order of its times. */
function openMetrics(recorded: readonly Recorded[]): string {
  const bySeries = new Map<string, string[]>();
  for (const { at, samples } of recorded) {
    for (const { labels, value } of samples) {
      const series = formatSeries(labels).replaceAll(', ', ',');
      bySeries.set(series, [...(bySeries.get(series) ?? []), `${series} ${value} ${at / 1000}\n`]);
    }
  }
  const sorted = [...bySeries].sort(([one], [other]) => (one < other ? -1 : 1));
  return `${sorted.flatMap(([, lines]) => lines).join('')}# EOF\n`;
}

const SOURCES = {
  embedded: '  scrape: { targets: ["http://app:80/metrics"] }',
  remote: '  prometheus: { url: "http://prometheus" }',
};

/** No window begins exactly at a sample: there 2.42 counts it, and Prometheus 3 and revertd do not. */
function policies(source: keyof typeof SOURCES): Desired {
  const named = source === 'remote' ? ', source: prod' : '';
  const text = `
apiVersion: revertd.dev/v1
kind: MetricSource
metadata: { name: prod }
spec:
  interval: 5s
${SOURCES[source]}
---
apiVersion: revertd.dev/v1
kind: Flag
metadata: { name: fast-path }
spec:
  variants: { "on": true, "off": false }
  defaultVariant: "on"
  safeVariant: "off"
  deliver: [{ envFile: { path: /app.env, key: FAST_PATH } }]
---
apiVersion: revertd.dev/v1
kind: RollbackPolicy
metadata: { name: guard }
spec:
  triggers:
    - { name: errors, query: 'sum(rate(requests_total{code=~"5.."}[62s])) / sum(rate(requests_total[62s]))', above: 0.05, for: 20s, clear: { below: 0.02, for: 30s }${named} }
    - { name: p95, query: 'histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[62s])))', above: 0.5, for: 30s${named} }
    - { name: queue, query: queue_length, above: 500, for: 10s, severity: warning${named} }
    - { name: gone, query: 'absent(requests_total{job="app"})', above: 0, noData: clear, severity: warning${named} }
    - { name: never, query: no_such_series, above: 0, severity: warning${named} }
  ladder:
    - rung: flags
      do: [ { setFlag: { flag: fast-path, to: safe } } ]
      verify: { settle: 10s, within: 5m }
`;
  const result = loadPolicies([policyFile('p.yaml', text)], { revision: 'r', host: {}, hostLabels: {} });
  if (!result.ok) throw new Error(printed(result).join('\n'));
  return { ...result.desired, adopt: 'ask' };
}

/** What can be compared: values are not equal to the last digit, as 2.42 extrapolates rates a little differently. */
type Walked = { readonly at: number; readonly states: Readonly<Record<string, string>>; readonly effects: string };

function createWalk(desired: Desired) {
  const world = new World(desired, { 'envFile:/app.env': { FAST_PATH: 'true' } });
  const walked: Walked[] = [];
  return {
    triggers: wantsOf(desired, world.memory, FIRST).triggers,
    walked,
    step(at: number, readings: readonly Reading[]): void {
      world.now = at;
      for (const reading of readings) world.reading(undefined, reading);
      world.settle();
      const states = Object.entries(world.memory.triggers).map(([key, { state, since, verdict, elements }]) => {
        const each = Object.values(elements).map(({ labels, state: own, since: from, accumulatedMs }) =>
          [JSON.stringify(labels), own, from - FIRST, accumulatedMs].join(' '),
        );
        return [key, [state, since - FIRST, verdict, ...each.sort()].join('; ')] as const;
      });
      walked.push({ at: at - FIRST, states: Object.fromEntries(states), effects: world.effects.join(', ') });
    },
  };
}

function walkEmbedded(recorded: readonly Recorded[]): readonly Walked[] {
  const walk = createWalk(policies('embedded'));
  const store = new SampleStore();
  const evaluator = new Evaluator(store);
  evaluator.update(walk.triggers, new Map([['prod', INTERVAL_MS]]));
  for (const [round, { at, samples }] of recorded.entries()) {
    store.commit({ source: 'prod', target: 'app', at, samples });
    const readings = evaluator.onCommit({ source: 'prod', target: 'app', at, ok: true });
    if (round >= WARM_UP) walk.step(at, readings);
  }
  return walk.walked;
}

async function walkRemote(url: string): Promise<readonly Walked[]> {
  const desired = policies('remote');
  const walk = createWalk(desired);
  const clock = new ManualClock(FIRST + WARM_UP * INTERVAL_MS);
  let took = Promise.withResolvers<readonly Reading[]>();
  const sampling = new RemoteSampling({
    means: { clock, secret: () => Promise.reject(new Error('none')), systemctl: createFakeSystemctl({}) },
    onReadings: (readings) => took.resolve(readings),
    open: (type, means) => createPrometheusClient({ ...type, url }, means),
  });
  onTestFinished(() => sampling.stop());
  sampling.update(Object.values(desired.metricSources));
  sampling.watch(walk.triggers);
  for (let round = WARM_UP; round < ROUNDS; round++) {
    const readings = await took.promise;
    took = Promise.withResolvers();
    const at = FIRST + round * INTERVAL_MS;
    expect(readings.map((reading) => [reading.at, reading.healthy])).toEqual(readings.map(() => [at, true]));
    walk.step(at, readings);
    // The next round is set up when this one has wholly ended.
    while (clock.pending === 0) await new Promise(setImmediate);
    clock.advance(INTERVAL_MS);
  }
  return walk.walked;
}

describe.skipIf(!installed)('a policy on a remote Prometheus 2.42 (needs the package prometheus)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'revertd-remote-'));
  const recorded = recording();
  let server: PeerProcess;
  let url: string;

  beforeAll(async () => {
    const file = join(folder, 'samples.om');
    const config = join(folder, 'prometheus.yml');
    writeFileSync(file, openMetrics(recorded));
    writeFileSync(config, 'global: {}\n');
    const data = join(folder, 'data');
    execFileSync(promtool ?? '', ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, data]);
    const address = `127.0.0.1:${await unusedPort()}`;
    url = `http://${address}`;
    server = new PeerProcess(prometheus ?? '', [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=${address}`,
    ]);
    await server.ready(`${url}/-/ready`);
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('walks the same states, and does the same, as on samples of its own', async () => {
    const embedded = walkEmbedded(recorded);
    const remote = await walkRemote(url);
    expect(remote).toEqual(embedded);
    const seen = new Set(
      embedded.flatMap(({ states }) => Object.values(states)).map((text) => text.split(';', 1).join()),
    );
    expect(seen).toEqual(new Set(['firing', 'inactive', 'pending', 'unknown']));
    expect(embedded.at(-1)?.effects).toContain('write FAST_PATH=false');
  });

  const type: PrometheusType = { kind: 'prometheus', url: '', headers: {}, timeoutMs: 10_000, retries: 0 };
  const client = () =>
    createPrometheusClient({ ...type, url }, { clock: systemClock, secret: () => Promise.reject(new Error('none')) });
  const at = FIRST + 80 * INTERVAL_MS;
  const { signal } = new AbortController();

  it('tells its version', async () => {
    const version = await client().version(signal);
    expect(version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('gives NaN as NaN', async () => {
    const { elements } = await client().query('queue_length{queue="in"}', at, signal);
    const { __name__: name, ...labels } = elements[0]?.labels ?? {};
    expect([name, labels, elements[0]?.value]).toEqual([
      'queue_length',
      { instance: 'app:80', job: 'app', queue: 'in' },
      'NaN',
    ]);
  });

  it.each(['rate(', 'sum(queue_length) + on(x) group_left sum by (queue) (queue_length)', 'queue_length[5m]'])(
    'refuses %s as a bad query',
    async (query) => {
      await expect(client().query(query, at, signal)).rejects.toMatchObject({ code: 'bad_query' });
    },
  );

  it('evaluates what revertd refuses', async () => {
    const source: MetricSource['type'] | undefined = policies('remote').metricSources['prod']?.type;
    expect(source?.kind).toBe('prometheus');
    const answer = await client().query('queue_length @ end() offset -1s', at, signal);
    expect(answer.partial).toEqual([]);
  });
});
