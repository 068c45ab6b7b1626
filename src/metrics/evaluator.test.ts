import { expect, test } from 'vitest';
import { aTrigger } from '../../test/support/policies.ts';
import { Evaluator } from './evaluator.ts';
import { labelsOf } from './labels.ts';
import { SampleStore } from './store/sample-store.ts';

function setUp(query: string) {
  const store = new SampleStore();
  const evaluator = new Evaluator(store);
  const trigger = aTrigger({ query, noData: 'fire' });
  evaluator.update(
    new Map([['guard/latency', trigger]]),
    new Map([
      ['fast', 5_000],
      ['slow', 60_000],
    ]),
  );
  const commit = (source: string, metric: string, at: number) => {
    store.commit({ source, target: source, at, samples: [{ labels: labelsOf([['__name__', metric]]), value: 1 }] });
    return evaluator.onCommit({ source, target: source, at, ok: true });
  };
  return { evaluator, commit };
}

test.each(['heartbeat', 'absent(heartbeat)', 'requests / heartbeat'])(
  'after a start `%s` is not judged absent before every source has delivered',
  (query) => {
    const { commit } = setUp(query);
    expect(commit('fast', 'requests', 1_000)).toEqual([]);
    expect(commit('fast', 'requests', 6_000)).toEqual([]);
    expect(commit('slow', 'heartbeat', 7_000)).toHaveLength(1);
  },
);

test('absence is judged once every source has delivered without it', () => {
  const { commit } = setUp('heartbeat');
  commit('fast', 'requests', 1_000);
  expect(commit('slow', 'other', 2_000)).toMatchObject([{ result: { kind: 'elements', elements: [] } }]);
});

test('a window that was covered is not covered any more when the clock was set', () => {
  const { evaluator, commit } = setUp('rate(requests[1m])');
  for (let at = 0; at <= 120_000; at += 5_000) commit('fast', 'requests', at);
  expect(commit('fast', 'requests', 125_000)).toMatchObject([{ covered: true }]);
  evaluator.forgetCoverage();
  expect(commit('fast', 'requests', 3_725_000)).toMatchObject([{ covered: false }]);
});

test('a baseline is looked up once a minute, and sooner while there is none yet', () => {
  const asked: number[] = [];
  const store = new SampleStore();
  const evaluator = new Evaluator(store, (_trigger, _overMs, at) => {
    asked.push(at);
    return at < 6_000 ? null : 0.1;
  });
  const threshold = { kind: 'baseline', side: 'above', factor: 2, overMs: 86_400_000 } as const;
  evaluator.update(new Map([['guard/latency', aTrigger({ query: 'latency', threshold })]]), new Map([['app', 1_000]]));
  const baselines = Array.from({ length: 80 }, (_, second) => {
    const at = second * 1_000;
    store.commit({
      source: 'app',
      target: 'app',
      at,
      samples: [{ labels: labelsOf([['__name__', 'latency']]), value: 1 }],
    });
    return evaluator.onCommit({ source: 'app', target: 'app', at, ok: true })[0]?.baseline;
  });
  expect(asked).toEqual([0, 5_000, 10_000, 70_000]);
  expect([baselines[9], baselines[10], baselines[79]]).toEqual([null, 0.1, 0.1]);
});
