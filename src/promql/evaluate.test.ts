import { describe, expect, it } from 'vitest';
import { createMemoryStore, type MemoryStore } from '../../test/conformance/memory-store.ts';
import { type CompiledQuery, compileQuery, type EvaluateOptions, type InstantResult } from './evaluate.ts';
import { parseQuery } from './parse.ts';
import type { Matcher, Queryable, Series } from './series.ts';

const MINUTE = 60_000;

function compiled(query: string, options: EvaluateOptions = {}): CompiledQuery {
  return compileQuery(parseQuery(query), { ...options, text: query });
}

function storeOf(lines: readonly string[]): MemoryStore {
  const store = createMemoryStore();
  store.load(lines, MINUTE, false);
  return store;
}

function values(result: InstantResult): Record<string, number> {
  const elements = result.type === 'vector' ? result.elements : [];
  return Object.fromEntries(elements.map(({ labels, value }) => [Object.values(labels).join(), value]));
}

describe('compileQuery', () => {
  it('refuses what does not check', () => {
    expect(() => compiled('rate(up)')).toThrow('expected range vector');
    expect(() => compiled('mad_over_time(up[5m])')).toThrow(expect.objectContaining({ code: 'unsupported' }));
  });

  it('gives each type of result', () => {
    const store = storeOf(['up{job="a"} 1 0']);
    expect(compiled('1 + 1').instant(store, 0)).toMatchObject({ type: 'scalar', value: 2 });
    expect(compiled('"x"').instant(store, 0)).toMatchObject({ type: 'string', value: 'x' });
    expect(compiled('up').instant(store, MINUTE)).toMatchObject({
      type: 'vector',
      elements: [{ labels: { __name__: 'up', job: 'a' }, value: 0 }],
    });
    expect(compiled('up[2m]').instant(store, MINUTE)).toMatchObject({
      type: 'matrix',
      series: [{ labels: { __name__: 'up', job: 'a' }, times: [0, MINUTE], values: [1, 0] }],
    });
  });

  it('evaluates over a range, sorted by labels', () => {
    const store = storeOf(['up{job="b"} 1 2 3', 'up{job="a"} _ 5 stale']);
    expect(compiled('up').range(store, 0, 2 * MINUTE, MINUTE).series).toStrictEqual([
      { labels: { __name__: 'up', job: 'a' }, times: [MINUTE], values: [5] },
      { labels: { __name__: 'up', job: 'b' }, times: [0, MINUTE, 2 * MINUTE], values: [1, 2, 3] },
    ]);
    expect(() => compiled('up').range(store, 0, 1, 0)).toThrow('step');
    expect(() => compiled('up[5m]').range(store, 0, 1, 1)).toThrow('scalar or an instant vector');
  });

  it('looks back as far as it is told', () => {
    const store = storeOf(['up 1']);
    expect(values(compiled('up', { lookbackMs: MINUTE }).instant(store, MINUTE - 1))).toStrictEqual({ up: 1 });
    expect(values(compiled('up', { lookbackMs: MINUTE }).instant(store, MINUTE))).toStrictEqual({});
  });

  it('resolves selectors once per generation', () => {
    const store = storeOf(['up{job="a"} 1']);
    let resolved = 0;
    const counting: Queryable = {
      get generation() {
        return store.generation;
      },
      resolve(matchers: readonly Matcher[]): readonly Series[] {
        resolved += 1;
        return store.resolve(matchers);
      },
    };
    const query = compiled('sum(rate(up[5m])) or up');
    query.instant(counting, 0);
    query.instant(counting, 1000);
    expect(resolved).toBe(2);
    store.load(['up{job="b"} 7'], MINUTE, false);
    expect(values(query.instant(counting, 0))).toStrictEqual({ 'up,a': 1, 'up,b': 7 });
    expect(resolved).toBe(4);
  });

  it('sees samples that are appended to the series it knows', () => {
    const times = new Float64Array(10);
    const samples = new Float64Array(10);
    const series = { labels: { __name__: 'n_total' }, times, values: samples, first: 0, end: 0 };
    const store: Queryable = { generation: 1, resolve: () => [series] };
    const query = compiled('increase(n_total[1m])');
    const answers: number[][] = [];
    for (let i = 0; i < 10; i += 1) {
      times[i] = i * 20_000;
      samples[i] = i * 2;
      series.end = i + 1;
      series.first = Math.max(0, i - 4);
      answers.push(Object.values(values(query.instant(store, i * 20_000))));
    }
    expect(answers).toStrictEqual([[], [2], [4], [6], [6], [6], [6], [6], [6], [6]]);
  });

  it('finds markers that come later, and forgets them when they have left the range', () => {
    const store = storeOf(['m 1 2 stale 4 5 6']);
    const query = compiled('count_over_time(m[3m])');
    const counts = [0, 1, 2, 3, 4, 5].map((minute) => values(query.instant(store, minute * MINUTE))['']);
    expect(counts).toStrictEqual([1, 2, 2, 2, 2, 3]);
    // Going back in time must not be misled by what was seen.
    expect(values(query.instant(store, 2 * MINUTE))).toStrictEqual({ '': 2 });
  });

  it('is not confused by labels named like properties of objects', () => {
    const store = storeOf(['m{constructor="x", toString="y"} 1', 'm{__proto__="z"} 2']);
    expect(values(compiled('sum by (constructor) (m)').instant(store, 0))).toStrictEqual({ x: 1, '': 2 });
    expect(values(compiled('sum by (__proto__) (m)').instant(store, 0))).toStrictEqual({ z: 2, '': 1 });
    expect(values(compiled('m{hasOwnProperty=""}').instant(store, 0))).toStrictEqual({ 'm,x,y': 1, 'm,z': 2 });
  });

  it('goes on when series come and go', () => {
    const query = compiled('sum by (job) (up) * on (job) group_left (team) info');
    const store = createMemoryStore();
    store.load(['up{job="a"} 1', 'info{job="a", team="x"} 3'], MINUTE, false);
    expect(values(query.instant(store, 0))).toStrictEqual({ 'a,x': 3 });
    store.clear();
    expect(values(query.instant(store, 0))).toStrictEqual({});
    store.load(['up{job="b"} 2', 'info{job="b", team="y"} 5'], MINUTE, false);
    expect(values(query.instant(store, 0))).toStrictEqual({ 'b,y': 10 });
  });

  it('drops names at once, or at the end if told to', () => {
    const store = storeOf(['a{x="1"} 1', 'b{x="1"} 2']);
    const query = 'count by (__name__) (abs({x="1"}))';
    expect(() => compiled(query).instant(store, 0)).toThrow('vector cannot contain metrics with the same labelset');
    const delayed = compiled('count(abs({x="1"}))', { delayedNameRemoval: true }).instant(store, 0);
    expect(values(delayed)).toStrictEqual({ '': 2 });
  });

  it('names the place of a fault', () => {
    const store = storeOf(['a{x="1"} 1', 'a{x="2"} 2']);
    expect(() => compiled('1 + (a / on () a)').instant(store, 0)).toThrow(
      expect.objectContaining({ code: 'evaluation', offset: 5, end: 16 }),
    );
    expect(() => compiled('sum(count_over_time(a[1y:1ms]))').instant(store, 0)).toThrow(
      'reads more than 200000000 samples',
    );
  });

  it('gives annotations with lines and columns', () => {
    const store = storeOf(['a 1 2 3']);
    const query = 'sum(\n  rate(a[5m])\n) + quantile(2, a)';
    const { annotations } = compiled(query).instant(store, 2 * MINUTE);
    expect(annotations.infos).toStrictEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "a" (2:8)',
    ]);
    expect(annotations.warnings).toStrictEqual([
      'PromQL warning: quantile value should be between 0 and 1, got 2 (3:14)',
    ]);
    expect(compiled('a').instant(store, 0).annotations).toStrictEqual({ warnings: [], infos: [] });
  });
});
