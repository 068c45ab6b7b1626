import type { Labels } from '../promql/series.ts';

/**
 * Labels in one order (`__name__` sorts like the others), without the empty ones, which mean the same as absent.
 * The record has no prototype, so that labels called `constructor` or `__proto__` are labels like any other.
 */
export function labelsOf(pairs: Iterable<readonly [name: string, value: string]>): Labels {
  const labels: Record<string, string> = Object.create(null);
  for (const [name, value] of [...pairs].sort(byName)) {
    if (value !== '') labels[name] = value;
  }
  return labels;
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Equal exactly for equal label sets. The lengths keep apart what a separator inside a value could join. */
export function labelKey(labels: Labels): string {
  let key = '';
  for (const name of Object.keys(labels).sort()) {
    const value = labels[name] ?? '';
    if (value !== '') key += `${name.length}:${name}${value.length}:${value}`;
  }
  return key;
}

/** `name{a="b"}`, as people write a series. */
export function formatSeries(labels: Labels): string {
  const { __name__: name = '', ...others } = labels;
  const pairs = Object.entries(others).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(', ')}}`;
}
