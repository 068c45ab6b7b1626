import { formatValue } from './go-numbers.ts';

/** What a target exposes. The state moves with every scrape. */
export type Shape = {
  readonly seed: number;
  readonly counters: Map<string, number>;
  /** The process restarts at these scrapes: all its counters begin again. */
  readonly restartsAt: readonly number[];
  /** Samples with timestamps of their own, which lag behind. */
  readonly delayed: boolean;
};

export const DELAY_MS = 700;
/** Metrics whose name begins so state their timestamps. */
export const DELAYED_PREFIX = 'delayed_';

const BOUNDS = [0.01, 0.05, 0.1, 0.5, 1, 5] as const;

type Random = () => number;
type Line = readonly [name: string, labels: string, value: number];

export function createShape(seed: number, restartsAt: readonly number[], delayed: boolean): Shape {
  return { seed, counters: new Map(), restartsAt, delayed };
}

/** The exposition of the nth scrape, in the text format 0.0.4. */
export function expose(shape: Shape, scrape: number, random: Random, now: number): string {
  if (shape.restartsAt.includes(scrape)) shape.counters.clear();
  const lines = [
    ...requests(shape, scrape, random),
    ...gauges(scrape, random),
    ...histograms(shape, scrape, random),
    ...sessions(scrape, random),
  ].map(([name, labels, value]) => `${name}{${labels}} ${formatValue(value)}`);
  if (shape.delayed) lines.push(...delayed(scrape, random, now));
  return `${lines.join('\n')}\n`;
}

function add(shape: Shape, key: string, by: number): number {
  const value = (shape.counters.get(key) ?? 0) + by;
  shape.counters.set(key, value);
  return value;
}

/** Errors come late and pause; one path is hardly ever used. */
function* requests(shape: Shape, scrape: number, random: Random): Generator<Line> {
  for (const path of ['/', '/basket', '/ünï']) {
    for (const code of ['200', '404', '500']) {
      const labels = `path="${path}",code="${code}"`;
      const value = add(shape, labels, code === '200' ? Math.floor(random() * 20) : Number(random() < 0.2));
      const pauses = code === '500' && (scrape < 12 || scrape % 40 > 25);
      if (!pauses) yield ['requests_total', labels, value];
    }
  }
  yield ['work_seconds_total', '', add(shape, 'work', random() / 7)];
}

function* gauges(scrape: number, random: Random): Generator<Line> {
  for (const [room, offset] of [
    ['attic', 25],
    ['cellar', 8],
    ['outside', -3],
  ] as const) {
    yield ['temperature', `room="${room}"`, offset + Math.round(random() * 1000) / 100];
  }
  yield ['odd', 'kind="nan"', scrape % 7 === 3 ? Number.NaN : random()];
  yield ['odd', 'kind="inf"', scrape % 30 === 5 ? Number.POSITIVE_INFINITY : random() * 100];
  yield ['odd', 'kind="minus"', scrape % 37 === 6 ? Number.NEGATIVE_INFINITY : -random()];
  yield ['odd', 'kind="always"', Number.NaN];
  yield ['steady', '', 42];
  yield ['flip', '', scrape % 8 < 4 ? 0 : 1];
  if (scrape % 20 > 9) yield ['sometimes', 'half="second"', scrape];
  yield ['build', `version="1.${Math.floor(scrape / 60)}",language="go"`, 1];
}

/** One is well-formed, one has buckets that shrink upwards, one lacks +Inf. */
function* histograms(shape: Shape, scrape: number, random: Random): Generator<Line> {
  for (const route of ['good', 'shrinking', 'open']) {
    let sum = 0;
    let total = 0;
    for (const [index, bound] of BOUNDS.entries()) {
      const count = add(shape, `${route}:${bound}`, Math.floor(random() * (6 - index)));
      total += count;
      sum += count * bound * 0.7;
      const value = route === 'shrinking' && index === 3 ? Math.max(0, total - 5) : total;
      yield ['latency_seconds_bucket', `route="${route}",le="${bound}"`, value];
    }
    const beyond = total + add(shape, `${route}:beyond`, Number(random() < 0.1));
    if (route !== 'open') yield ['latency_seconds_bucket', `route="${route}",le="+Inf"`, beyond];
    yield ['latency_seconds_sum', `route="${route}"`, sum];
    yield ['latency_seconds_count', `route="${route}"`, beyond];
  }
  if (scrape > 50) yield ['latency_seconds_bucket', 'route="empty",le="+Inf"', 0];
}

/** Label sets that nobody sees again. */
function* sessions(scrape: number, random: Random): Generator<Line> {
  const newest = Math.floor(scrape / 9);
  for (let id = Math.max(0, newest - 2); id <= newest; id += 1) yield ['session', `id="${id}"`, random() * id];
}

/** Every second scrape repeats the last sample, as an exporter that reads slower than it is read. */
function* delayed(scrape: number, random: Random, now: number): Generator<string> {
  const stamp = Math.floor((now - DELAY_MS) / 400) * 400;
  yield `delayed_level{tank="a"} ${stamp % 10_000} ${stamp}`;
  if (scrape % 50 < 30) yield `delayed_level{tank="b"} ${Math.floor(stamp / 7) % 1000} ${stamp}`;
  random();
}
