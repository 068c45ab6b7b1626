import { describe, expect, it } from 'vitest';
import type { Labels, Matcher, Series } from '../../promql/series.ts';
import { isStale } from '../../promql/staleness.ts';
import type { Sample } from '../batch.ts';
import { labelsOf } from '../labels.ts';
import { FUTURE_TOLERANCE_MS, retentionFor, SampleStore } from './sample-store.ts';

const T0 = 1_800_000_000_000;

function named(name: string, labels: Labels = {}): Labels {
  return labelsOf([['__name__', name], ...Object.entries(labels)]);
}

function sample(name: string, value: number, timestamp?: number): Sample {
  return { labels: named(name), value, ...(timestamp === undefined ? {} : { timestamp }) };
}

function is(name: string): Matcher[] {
  return [{ name: '__name__', op: '=', value: name }];
}

function only(store: SampleStore, name: string): Series {
  const [series, ...others] = store.resolve(is(name));
  if (series === undefined || others.length > 0) throw new Error(`expected one series ${name}`);
  return series;
}

/** `seconds since T0: value`, with a stale marker as `stale`. */
function shown(series: Series): string[] {
  const texts: string[] = [];
  for (let index = series.first; index < series.end; index++) {
    const value = isStale(series.values, index) ? 'stale' : String(series.values[index]);
    texts.push(`${((series.times[index] ?? 0) - T0) / 1000}: ${value}`);
  }
  return texts;
}

function history(store: SampleStore, name: string): string[] {
  return shown(only(store, name));
}

/** Commits the batch of a target at T0 + `second`. */
function commit(store: SampleStore, second: number, samples: Sample[], target = 't', source = 's') {
  return store.commit({ source, target, at: T0 + second * 1000, samples });
}

describe('a batch', () => {
  it('appends to the series that it names, which stay the same live objects', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1), sample('b', 10)]);
    const a = only(store, 'a');
    const { generation } = store;
    for (let second = 1; second < 100; second++) commit(store, second, [sample('a', second), sample('b', 10)]);
    expect(shown(a)).toHaveLength(100);
    expect(shown(a).at(-1)).toBe('99: 99');
    expect(only(store, 'a')).toBe(a);
    expect(store.generation).toBe(generation);
  });

  it('shares one column of timestamps among the series of a target', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1), sample('b', 10)]);
    expect(only(store, 'a').times).toBe(only(store, 'b').times);
  });

  it('keeps NaN and the infinities as values', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', Number.NaN)]);
    commit(store, 1, [sample('a', Number.NEGATIVE_INFINITY)]);
    expect(history(store, 'a')).toEqual(['0: NaN', '1: -Infinity']);
  });

  it('takes the first of two samples with the same labels, and counts the other', () => {
    const store = new SampleStore();
    expect(commit(store, 0, [sample('a', 1), sample('a', 2)])).toMatchObject({ appended: 1, repeated: 1 });
    expect(history(store, 'a')).toEqual(['0: 1']);
  });

  it('changes the generation only with the set of series', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1)]);
    const before = store.generation;
    commit(store, 1, [sample('a', 1), sample('b', 1)]);
    const withB = store.generation;
    commit(store, 2, [sample('a', 1)]);
    expect(withB).not.toBe(before);
    expect(store.generation).toBe(withB);
  });
});

describe('staleness', () => {
  it('marks a series that is missing from the batch, and again nothing until it is back', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1), sample('b', 1)]);
    commit(store, 1, [sample('b', 2)]);
    commit(store, 2, [sample('b', 3)]);
    expect(history(store, 'a')).toEqual(['0: 1', '1: stale']);
    commit(store, 3, [sample('a', 4), sample('b', 4)]);
    expect(history(store, 'a')).toEqual(['0: 1', '1: stale', '2: stale', '3: 4']);
    expect(history(store, 'b')).toEqual(['0: 1', '1: 2', '2: 3', '3: 4']);
  });

  it('marks everything that a failed sampling did not give', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1), sample('up', 1)]);
    commit(store, 1, [sample('up', 0)]);
    expect(history(store, 'a')).toEqual(['0: 1', '1: stale']);
    expect(history(store, 'up')).toEqual(['0: 1', '1: 0']);
  });

  it('leaves other targets alone', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1)], 't1');
    commit(store, 0, [sample('b', 1)], 't2');
    commit(store, 1, [], 't1');
    expect(history(store, 'a')).toEqual(['0: 1', '1: stale']);
    expect(history(store, 'b')).toEqual(['0: 1']);
  });

  it('marks the series of a source or target that is forgotten, once', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1)], 't1');
    commit(store, 0, [sample('b', 1)], 't2');
    store.forgetTarget('s', 't2', T0 + 1000);
    expect([history(store, 'a'), history(store, 'b')]).toEqual([['0: 1'], ['0: 1', '1: stale']]);
    store.forget('s', T0 + 2000);
    expect([history(store, 'a'), history(store, 'b')]).toEqual([
      ['0: 1', '2: stale'],
      ['0: 1', '1: stale'],
    ]);
  });

  it('goes on with the same series when a forgotten target comes back', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1)]);
    store.forget('s', T0 + 1000);
    commit(store, 2, [sample('a', 3)]);
    expect(history(store, 'a')).toEqual(['0: 1', '1: stale', '2: 3']);
  });

  it('survives the growing and shifting of the arrays', () => {
    const store = new SampleStore();
    store.retain(40_000);
    for (let second = 0; second < 500; second++) {
      commit(store, second, second % 3 === 0 ? [sample('b', second)] : [sample('a', second), sample('b', second)]);
    }
    const a = history(store, 'a').slice(-4);
    expect(a).toEqual(['496: 496', '497: 497', '498: stale', '499: 499']);
    expect(history(store, 'a').filter((text) => text.endsWith('stale'))).toHaveLength(14);
  });
});

describe('timestamps of the target', () => {
  it('are kept, and the series is not ended by its absence', () => {
    const store = new SampleStore();
    commit(store, 10, [sample('a', 1, T0 + 4000), sample('b', 1)]);
    commit(store, 11, [sample('b', 2)]);
    commit(store, 12, [sample('a', 2, T0 + 9500), sample('b', 3)]);
    expect(history(store, 'a')).toEqual(['4: 1', '9.5: 2']);
    expect(history(store, 'b')).toEqual(['10: 1', '11: 2', '12: 3']);
  });

  it('may repeat, but not go back or far into the future', () => {
    const store = new SampleStore();
    commit(store, 10, [sample('a', 1, T0 + 4000)]);
    expect(commit(store, 11, [sample('a', 1, T0 + 4000)])).toMatchObject({ appended: 1 });
    expect(commit(store, 12, [sample('a', 2, T0 + 4000)])).toMatchObject({ appended: 0, outOfOrder: 1 });
    expect(commit(store, 13, [sample('a', 3, T0 + 3000)])).toMatchObject({ outOfOrder: 1 });
    const limit = T0 + 14_000 + FUTURE_TOLERANCE_MS;
    expect(commit(store, 14, [sample('a', 4, limit + 1)])).toMatchObject({ future: 1, appended: 0 });
    expect(commit(store, 14, [sample('f', 4, limit)])).toMatchObject({ future: 0, appended: 1 });
    expect(commit(store, 15, [sample('o', 4, T0 + 15_000 - retentionFor(300_000) - 1)])).toMatchObject({
      outOfOrder: 1,
    });
    expect(history(store, 'a')).toEqual(['4: 1']);
    expect(store.stats().dropped).toMatchObject({ outOfOrder: 3, future: 1 });
  });

  it('can begin and stop on a series that lives', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1), sample('b', 1)]);
    commit(store, 1, [sample('b', 1)]);
    commit(store, 2, [sample('a', 2, T0 + 1500), sample('b', 1)]);
    commit(store, 3, [sample('a', 3), sample('b', 1)]);
    commit(store, 4, [sample('b', 1)]);
    expect(history(store, 'a')).toEqual(['0: 1', '1: stale', '1.5: 2', '3: 3', '4: stale']);
  });

  it('in the future are ended behind the last sample when the target is forgotten', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1, T0 + 60_000)]);
    store.forget('s', T0 + 1000);
    expect(history(store, 'a')).toEqual(['60: 1', '60.001: stale']);
  });
});

describe('retention', () => {
  it('drops samples and then series that are too old', () => {
    const store = new SampleStore();
    store.retain(10_000);
    commit(store, 0, [sample('a', 0), sample('b', 0)]);
    for (let second = 1; second <= 11; second++) commit(store, second, [sample('b', second)]);
    expect(history(store, 'b')[0]).toBe('1: 1');
    expect(history(store, 'a')).toEqual(['1: stale']);
    const { generation } = store;
    commit(store, 12, [sample('b', 12)]);
    expect(store.resolve(is('a'))).toEqual([]);
    expect(store.generation).not.toBe(generation);
    expect(store.stats()).toMatchObject({ series: 1, samples: 11 });
  });

  it('removes a forgotten target once its history is too old', () => {
    const store = new SampleStore();
    store.retain(10_000);
    commit(store, 0, [sample('a', 0)], 't1');
    store.forgetTarget('s', 't1', T0 + 1000);
    commit(store, 11, [sample('b', 0)], 't2');
    expect(store.stats()).toMatchObject({ targets: 2 });
    commit(store, 12, [sample('b', 0)], 't2');
    expect(store.stats()).toMatchObject({ targets: 1, series: 1 });
  });

  it('bounds the memory of a long run, and gives it back', () => {
    const store = new SampleStore();
    store.retain(60_000);
    for (let second = 0; second < 2000; second++) commit(store, second, [sample('a', 1), sample(`x${second}`, 1)]);
    expect(store.stats().series).toBeLessThanOrEqual(64);
    expect(store.stats().bytes).toBeLessThan(64 * (8 * 130 + 600));
    store.forget('s', T0 + 2_000_000);
    commit(store, 3000, [], 'other');
    expect(store.stats()).toMatchObject({ targets: 1, series: 0, bytes: 128 });
  });
});

describe('limits', () => {
  it('refuse new series and keep the known ones going', () => {
    const store = new SampleStore({ seriesPerTarget: 2, series: 3 });
    expect(
      commit(
        store,
        0,
        ['a', 'b', 'c'].map((name) => sample(name, 1)),
      ),
    ).toMatchObject({ appended: 2, refused: 1 });
    expect(
      commit(
        store,
        0,
        ['d', 'e'].map((name) => sample(name, 1)),
        't2',
      ),
    ).toMatchObject({ appended: 1, refused: 1 });
    expect(
      commit(
        store,
        1,
        ['a', 'b'].map((name) => sample(name, 2)),
      ),
    ).toMatchObject({ appended: 2, refused: 0 });
  });

  it('shorten histories when the memory is spent', () => {
    const store = new SampleStore({ bytes: 40_000 });
    store.retain(3_600_000);
    for (let second = 0; second < 3000; second++) commit(store, second, [sample('a', second), sample('b', second)]);
    const { bytes, evicted } = store.stats();
    expect(bytes).toBeLessThanOrEqual(40_000);
    expect(evicted).toBeGreaterThan(0);
    expect(history(store, 'a').at(-1)).toBe('2999: 2999');
    expect(history(store, 'a').length).toBeGreaterThan(500);
  });

  it('let only one target own a label set, until it has ended there', () => {
    const store = new SampleStore();
    commit(store, 0, [sample('a', 1)], 't1');
    expect(commit(store, 0, [sample('a', 2)], 't2')).toMatchObject({ conflicting: 1, appended: 0 });
    store.forgetTarget('s', 't1', T0 + 1000);
    expect(commit(store, 2, [sample('a', 3)], 't2')).toMatchObject({ conflicting: 0, appended: 1 });
    expect(history(store, 'a')).toEqual(['2: 3']);
  });
});

describe('a clock that is set back', () => {
  it('by less than a second is evened out', () => {
    const store = new SampleStore();
    commit(store, 10, [sample('a', 1)]);
    commit(store, 9.5, [sample('a', 2)]);
    commit(store, 10.5, [sample('a', 3)]);
    expect(history(store, 'a')).toEqual(['10: 1', '10.001: 2', '10.5: 3']);
  });

  it('by more begins a new history of the target', () => {
    const store = new SampleStore();
    commit(store, 3600, [sample('a', 1)]);
    commit(store, 0, [sample('a', 2)]);
    expect(history(store, 'a')).toEqual(['0: 2']);
    expect(store.stats()).toMatchObject({ targets: 1, series: 1, samples: 1 });
  });
});

describe('matching', () => {
  const store = new SampleStore();
  const series = [
    named('http_total', { code: '200', job: 'web' }),
    named('http_total', { code: '503', job: 'web' }),
    named('up', { job: 'web' }),
    named('up', { job: 'db', note: 'two\nlines' }),
  ];
  store.commit({
    source: 'web',
    target: 'w',
    at: T0,
    samples: series.slice(0, 3).map((labels) => ({ labels, value: 1 })),
  });
  store.commit({ source: 'db', target: 'd', at: T0, samples: series.slice(3).map((labels) => ({ labels, value: 1 })) });

  const cases: readonly [string, Matcher[], number[]][] = [
    ['by name', is('up'), [2, 3]],
    ['by an unknown name', is('nope'), []],
    ['by a label', [...is('http_total'), { name: 'code', op: '=', value: '503' }], [1]],
    ['by a label without a name', [{ name: 'job', op: '=', value: 'web' }], [0, 1, 2]],
    ['anchored', [{ name: 'code', op: '=~', value: '5' }], []],
    ['by a regular expression', [{ name: 'code', op: '=~', value: '5..' }], [1]],
    ['by a negated one, which absent labels satisfy', [{ name: 'code', op: '!~', value: '5..' }], [0, 2, 3]],
    ['by the absence of a label', [{ name: 'code', op: '=', value: '' }], [2, 3]],
    ['by its presence', [{ name: 'code', op: '!=', value: '' }], [0, 1]],
    ['by an expression over names', [{ name: '__name__', op: '=~', value: 'http_.+' }], [0, 1]],
    ['by a name that another matcher excludes', [...is('up'), { name: '__name__', op: '!=', value: 'up' }], []],
    ['with a dot over a line break', [{ name: 'note', op: '=~', value: 'two.lines' }], [3]],
    ['with a label of no series that objects have', [{ name: 'constructor', op: '!=', value: '' }], []],
  ];
  it.each(cases)('finds series %s', (_, matchers, expected) => {
    expect(store.resolve(matchers).map((found) => series.indexOf(found.labels))).toEqual(expected);
  });

  it('tells the sources of a query, without those that are gone', () => {
    expect(store.sourcesOf(is('up'))).toEqual(['db', 'web']);
    expect(store.sourcesOf(is('http_total'))).toEqual(['web']);
    expect(store.seriesOf('db').map((found) => found.labels)).toEqual(series.slice(3));
    const { generation } = store;
    store.forget('db', T0 + 1);
    expect(store.generation).not.toBe(generation);
    expect(store.sourcesOf(is('up'))).toEqual(['web']);
  });
});
