import type { RequestListener, ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFakeSystemctl } from '../../test/support/fake-systemctl.ts';
import { loopback } from '../../test/support/loopback.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import type { MetricSource } from '../core/model/metric-source.ts';
import { isStale } from '../promql/staleness.ts';
import { phaseOf } from './phase.ts';
import type { Outcome, Sampler } from './sampler.ts';
import { type Commit, Sampling, type SamplingOptions } from './sampling.ts';
import { SampleStore } from './store/sample-store.ts';

const T0 = 1_800_000_000_000;

/** A sampling in a time that the test moves, and the commits as they come. */
function begin(open?: SamplingOptions['open']) {
  const clock = new ManualClock(T0);
  const store = new SampleStore();
  const commits: Commit[] = [];
  let waiting: { count: number; resolve: () => void } | undefined;
  const onCommit = (commit: Commit) => {
    commits.push(commit);
    if (waiting !== undefined && commits.length >= waiting.count) waiting.resolve();
  };
  const means = {
    clock,
    secret: () => Promise.reject(new Error('no secrets here')),
    systemctl: createFakeSystemctl({}),
  };
  const sampling = new Sampling({ store, means, onCommit, ...(open === undefined ? {} : { open }) });
  onTestFinished(() => sampling.stop());
  /** Resolves when there were `count` commits since the beginning. */
  const committed = async (count: number): Promise<void> => {
    if (commits.length >= count) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = { count, resolve };
    await promise;
  };
  return { clock, store, commits, sampling, committed };
}

/** Its deadline is so late that a test may let an interval pass while an answer is on its way. */
function source(name: string, targets: string[], changes: Partial<MetricSource> = {}): MetricSource {
  const type = { kind: 'scrape', targets, labels: {}, timeoutMs: 60_000 } as const;
  const origin = { file: 'metrics.yaml', line: 1, column: 1 };
  return { name, origin, suspend: false, intervalMs: 1000, type, ...changes };
}

/** The values of a series, by source and name; a stale marker is `stale`. */
function history(store: SampleStore, job: string, name: string): (number | string)[] {
  const [series] = store.resolve([
    { name: '__name__', op: '=', value: name },
    { name: 'job', op: '=', value: job },
  ]);
  if (series === undefined) return [];
  const indexes = Array.from({ length: series.end - series.first }, (_, offset) => series.first + offset);
  return indexes.map((index) => (isStale(series.values, index) ? 'stale' : (series.values[index] ?? 'none')));
}

/** Answers with a counter that rises with each request. */
function counting(): RequestListener {
  let requests = 0;
  return (_, response) => response.end(`requests_total ${++requests}\n`);
}

describe('sampling', () => {
  it('takes the first sample at once, and the others on the phase of the source', async () => {
    await using server = await loopback(counting());
    const { clock, commits, sampling, committed, store } = begin();
    clock.jump(phaseOf('a', 1000) + 100);
    const started = clock.now();
    sampling.update([source('a', [`${server.origin}/`])]);
    await committed(1);
    for (let count = 2; count <= 4; count++) {
      clock.advance(1000);
      await committed(count);
    }
    expect(commits.map(({ at }) => at - started)).toEqual([0, 900, 1900, 2900]);
    expect(history(store, 'a', 'requests_total')).toEqual([1, 2, 3, 4]);
  });

  it('leaves half an interval after the first sample', async () => {
    await using server = await loopback(counting());
    const { clock, commits, sampling, committed } = begin();
    clock.jump(phaseOf('a', 1000) - 100);
    const started = clock.now();
    sampling.update([source('a', [server.origin])]);
    await committed(1);
    clock.advance(1100);
    await committed(2);
    expect(commits.map(({ at }) => at - started)).toEqual([0, 1100]);
  });

  it('has everything of a target in the store when it says so', async () => {
    await using server = await loopback((_, response) => response.end('a 1\nb 2\n'));
    const clock = new ManualClock(T0);
    const store = new SampleStore();
    const { promise, resolve } = Promise.withResolvers<number>();
    const means = {
      clock,
      secret: () => Promise.reject(new Error('no secrets here')),
      systemctl: createFakeSystemctl({}),
    };
    const sampling = new Sampling({ store, means, onCommit: () => resolve(store.seriesOf('s').length) });
    sampling.update([source('s', [server.origin])]);
    expect(await promise).toBe(5);
    await sampling.stop();
  });

  it('never asks a target again before it has answered', async () => {
    const held: ServerResponse[] = [];
    const asked = Promise.withResolvers<void>();
    await using server = await loopback((_, response) => {
      held.push(response);
      asked.resolve();
    });
    const { clock, commits, sampling, committed } = begin();
    clock.jump(phaseOf('a', 1000));
    sampling.update([source('a', [server.origin])]);
    await asked.promise;
    clock.advance(10_400);
    expect(held).toHaveLength(1);
    held[0]?.end('m 1\n');
    await committed(1);
    expect(clock.pending).toBe(1);
    clock.advance(599);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(clock.pending).toBe(2);
    expect(commits.map(({ at }) => at)).toEqual([T0 + phaseOf('a', 1000)]);
  });

  it('keeps its pace when the clock is set back, and begins a new history', async () => {
    await using server = await loopback(counting());
    const { clock, sampling, committed, store } = begin();
    sampling.update([source('a', [server.origin])]);
    await committed(1);
    clock.jump(-3_600_000);
    clock.advance(2000);
    await committed(2);
    expect(history(store, 'a', 'requests_total')).toEqual([2]);
  });
});

describe('a target that fails', () => {
  it('is down with the reason, up 0, and everything else stale, until it is back', async () => {
    let broken = false;
    await using server = await loopback((_, response) => response.writeHead(broken ? 500 : 200).end('m 1\n'));
    const { clock, commits, sampling, committed, store } = begin();
    sampling.update([source('a', [`${server.origin}/m`])]);
    const target = `${server.origin}/m`;
    const waiting = { source: 'a', target, state: 'waiting', since: T0, samples: 0, durationMs: 0 };
    expect(sampling.conditions()).toEqual([waiting]);
    await committed(1);
    expect(sampling.conditions()).toMatchObject([{ state: 'up', since: T0, lastAt: T0, samples: 4 }]);
    broken = true;
    clock.advance(2000);
    await committed(2);
    const [down] = sampling.conditions();
    expect(down).toMatchObject({ state: 'down', since: commits[1]?.at, lastError: { code: 'status' } });
    clock.advance(1000);
    await committed(3);
    expect(sampling.conditions()).toMatchObject([{ state: 'down', since: commits[1]?.at, lastAt: commits[2]?.at }]);
    broken = false;
    clock.advance(1000);
    await committed(4);
    expect(sampling.conditions()[0]).not.toHaveProperty('lastError');
    expect(commits.map(({ ok }) => ok)).toEqual([true, false, false, true]);
    expect(history(store, 'a', 'up')).toEqual([1, 0, 0, 1]);
    expect(history(store, 'a', 'm')).toEqual([1, 'stale', 'stale', 1]);
  });

  it('by never ending is ended by its deadline', async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await loopback((_, response) => response.write('m 1\n', () => asked.resolve()));
    const { clock, sampling, committed } = begin();
    const type = { kind: 'scrape', targets: [server.origin], labels: {}, timeoutMs: 1000 } as const;
    sampling.update([source('a', [], { type })]);
    await asked.promise;
    clock.advance(999);
    expect(sampling.conditions()).toMatchObject([{ state: 'waiting' }]);
    clock.advance(1);
    await committed(1);
    const message = expect.stringContaining('no end within 1s');
    expect(sampling.conditions()).toMatchObject([
      { state: 'down', durationMs: 1000, lastError: { code: 'timeout', message } },
    ]);
  });

  it('disturbs no other', async () => {
    const endless: RequestListener = (_, response) => {
      const drip = () => void (response.destroyed || response.write('x'.repeat(60_000), drip));
      drip();
    };
    await using good = await loopback(counting());
    await using bad = await loopback(endless);
    const { clock, commits, sampling, committed, store } = begin();
    sampling.update([
      source('endless', [bad.origin]),
      source('gone', ['http://127.0.0.1:1/']),
      source('nonsense', ['nowhere']),
      source('good', [good.origin]),
    ]);
    await committed(4);
    for (let round = 1; round < 5; round++) {
      clock.advance(1500);
      await committed(4 + 4 * round);
    }
    expect(sampling.conditions().map(({ state, lastError }) => [state, lastError?.code])).toEqual([
      ['down', 'body_too_large'],
      ['down', 'connection_refused'],
      ['down', 'bad_url'],
      ['up', undefined],
    ]);
    expect(history(store, 'good', 'requests_total')).toEqual([1, 2, 3, 4, 5]);
    expect(commits.filter((commit) => commit.source === 'good').every(({ ok }) => ok)).toBe(true);
  });

  it('only in part is up, and says what was dropped', async () => {
    await using server = await loopback((_, response) => response.end(`m 1\nlate 1 ${T0 + 3_600_000}\nold 1 5\n`));
    const { sampling, committed, store } = begin();
    sampling.update([source('a', [server.origin])]);
    await committed(1);
    const message = 'samples dropped: 1 from the future: check the clocks; 1 older than what came before';
    expect(sampling.conditions()).toMatchObject([{ state: 'up', lastError: { code: 'samples_dropped', message } }]);
    expect(history(store, 'a', 'm')).toEqual([1]);
    expect(history(store, 'a', 'late')).toEqual([]);
  });
});

describe('an update', () => {
  it('leaves unchanged sources alone, wherever they stand', async () => {
    await using server = await loopback(counting());
    const { clock, sampling, committed, store } = begin();
    sampling.update([source('a', [server.origin])]);
    await committed(1);
    const [before] = sampling.conditions();
    sampling.update([
      source('b', [server.origin]),
      source('a', [server.origin], { origin: { file: 'other.yaml', line: 9, column: 1 } }),
    ]);
    expect(sampling.conditions()[1]).toBe(before);
    await committed(2);
    clock.advance(2000);
    await committed(4);
    expect(history(store, 'a', 'up')).toEqual([1, 1]);
  });

  it('ends the series of sources that are removed or suspended, and of targets that are gone', async () => {
    await using server = await loopback((_, response) => response.end('m 1\n'));
    const other = server.origin.replace('127.0.0.1', 'localhost');
    const { clock, sampling, committed, store } = begin();
    sampling.update([source('a', [server.origin]), source('b', [server.origin]), source('c', [server.origin, other])]);
    await committed(4);
    clock.advance(10);
    sampling.update([source('b', [server.origin], { suspend: true }), source('c', [server.origin])]);
    expect(history(store, 'a', 'm')).toEqual([1, 'stale']);
    expect(history(store, 'b', 'm')).toEqual([1, 'stale']);
    const ends = store.resolve([
      { name: '__name__', op: '=', value: 'm' },
      { name: 'job', op: '=', value: 'c' },
    ]);
    const stale = ends.filter((series) => isStale(series.values, series.end - 1));
    expect(stale.map(({ labels }) => labels['instance'])).toEqual([`localhost:${server.port}`]);
    expect(sampling.conditions().map((condition) => condition.source)).toEqual(['c']);
    await committed(5);
    expect(sampling.conditions()).toMatchObject([{ source: 'c', state: 'up' }]);
  });

  it('samples a changed source at once, and goes on with its series', async () => {
    await using server = await loopback(counting());
    const { clock, sampling, committed, store } = begin();
    sampling.update([source('a', [server.origin])]);
    await committed(1);
    clock.advance(10);
    sampling.update([source('a', [server.origin], { intervalMs: 5000 })]);
    await committed(2);
    expect(history(store, 'a', 'requests_total')).toEqual([1, 2]);
  });

  it('drops what a replaced source still had under way', async () => {
    const held: ServerResponse[] = [];
    const asked = Promise.withResolvers<void>();
    await using server = await loopback((_, response) => {
      if (held.push(response) === 1) asked.resolve();
      else response.end('new 1\n');
    });
    const { sampling, committed, commits, store } = begin();
    sampling.update([source('a', [server.origin])]);
    await asked.promise;
    sampling.update([source('a', [server.origin], { intervalMs: 2000 })]);
    await committed(1);
    expect(commits).toHaveLength(1);
    expect(history(store, 'a', 'new')).toEqual([1]);
    expect(history(store, 'a', 'up')).toEqual([1]);
  });
});

describe('stopping', () => {
  it('aborts what is under way, leaves no timer, and commits nothing more', async () => {
    const asked = Promise.withResolvers<void>();
    await using server = await loopback(() => asked.resolve());
    const { clock, commits, sampling } = begin();
    sampling.update([source('a', [server.origin])]);
    await asked.promise;
    await sampling.stop();
    expect([clock.pending, commits.length, sampling.conditions()]).toEqual([0, 0, []]);
  });
});

describe('a sampler that is at fault itself', () => {
  function openWith(sample: () => Promise<Outcome>): NonNullable<SamplingOptions['open']> {
    const sampler: Sampler = { target: 't', timeoutMs: 1000, sample, close: () => {} };
    return () => [sampler];
  }

  it('by breaking is shown as broken, and tried again', async () => {
    const { clock, sampling, committed } = begin(openWith(() => Promise.reject(new TypeError('oops'))));
    sampling.update([source('a', [])]);
    await committed(1);
    const message = 'the sampler broke: oops';
    expect(sampling.conditions()).toMatchObject([{ state: 'down', lastError: { code: 'internal', message } }]);
    clock.advance(2000);
    await committed(2);
  });

  it('by hanging is given up on, and not started again before it has ended', async () => {
    const ends: PromiseWithResolvers<Outcome>[] = [];
    const hang = () => {
      const end = Promise.withResolvers<Outcome>();
      ends.push(end);
      return end.promise;
    };
    const { clock, sampling, committed } = begin(openWith(hang));
    sampling.update([source('a', [])]);
    clock.advance(2000);
    await committed(1);
    expect(sampling.conditions()).toMatchObject([{ state: 'down', lastError: { code: 'hung' } }]);
    clock.advance(10_000);
    expect(ends).toHaveLength(1);
    ends[0]?.resolve({ kind: 'sampled', samples: [] });
    await new Promise(setImmediate);
    clock.advance(1500);
    expect(ends).toHaveLength(2);
    const stopped = sampling.stop();
    clock.advance(1000);
    await stopped;
  });
});
