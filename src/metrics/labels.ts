import type { Labels } from '../promql/series.ts';

/**
 * What label sets are made of: objects that inherit nothing, so that labels called `constructor` or `__proto__` are labels like
 * any other, and that the engine, unlike those of `Object.create(null)`, keeps small and fast.
 */
const LabelSet = function LabelSet() {} as unknown as new () => Record<string, string>;
LabelSet.prototype = Object.create(null);

/** Labels in one order (`__name__` sorts like the others), without the empty ones, which mean the same as absent. */
export function labelsOf(pairs: Iterable<readonly [name: string, value: string]>): Labels {
  const labels = new LabelSet();
  for (const [name, value] of [...pairs].sort(byName)) {
    if (value !== '') labels[name] = value;
  }
  return labels;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `name{a="b"}`, as people write a series. */
export function formatSeries(labels: Labels): string {
  const { __name__: name = '', ...others } = labels;
  const pairs = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(', ')}}`;
}
