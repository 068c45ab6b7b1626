import type { Labels } from './series.ts';

export const METRIC_NAME = '__name__';

/** Labels that describe the metric itself; what computes something new drops them (Prometheus' `IsMetadataLabel`). */
const METADATA = [METRIC_NAME, '__type__', '__unit__'] as const;

/** A label's value, empty if the label is absent. */
export function labelValue(labels: Labels, name: string): string {
  return Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
}

/** A text that two label sets share exactly if they are equal; empty values count as absent. */
export function labelsKey(labels: Labels): string {
  const parts: string[] = [];
  for (const name of Object.keys(labels).sort()) {
    const value = labels[name];
    // Lengths in front make the key unambiguous whatever the names and values hold.
    if (value !== undefined && value !== '') parts.push(`${name.length}:${name}${value.length}:${value}`);
  }
  // Joined, not added up: what is added up stays a tree of its pieces, several times as large, for as long as it is kept.
  return parts.join('');
}

const keptKeys = new WeakMap<Labels, string>();

/** `labelsKey` of labels that live long and are asked about by several: they all get the same text. */
export function keptLabelsKey(labels: Labels): string {
  const known = keptKeys.get(labels);
  if (known !== undefined) return known;
  const key = labelsKey(labels);
  keptKeys.set(labels, key);
  return key;
}

/** The order of Prometheus' results: name by name, value by value. */
export function compareLabels(a: Labels, b: Labels): number {
  const left = Object.keys(a).sort();
  const right = Object.keys(b).sort();
  for (let i = 0; i < Math.min(left.length, right.length); i += 1) {
    const [nameA = '', nameB = ''] = [left[i], right[i]];
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
    const [valueA = '', valueB = ''] = [a[nameA], b[nameB]];
    if (valueA !== valueB) return valueA < valueB ? -1 : 1;
  }
  return left.length - right.length;
}

/** Only the named labels. */
export function keepLabels(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(labels, name) ? [[name, labels[name] ?? '']] : [])));
}

/** All but the named labels. */
export function dropLabels(labels: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !names.includes(name)));
}

export function dropMetadata(labels: Labels): Labels {
  return METADATA.some((name) => Object.hasOwn(labels, name)) ? dropLabels(labels, METADATA) : labels;
}

/** The labels with one set, or removed if the value is empty. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  return value === '' ? dropLabels(labels, [name]) : { ...labels, [name]: value };
}

/** A label set as Prometheus writes it: `{__name__="up", job="node"}`. */
export function formatLabels(labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(labels[name])}`);
  return `{${pairs.join(', ')}}`;
}

/** Gives equal label sets the same object, so that equality is identity afterwards. It keeps the first one that it is given. */
export type Interner = { readonly size: number; intern(labels: Labels): Labels };

export function createInterner(): Interner {
  const known = new Map<string, Labels>();
  return {
    get size() {
      return known.size;
    },
    intern(labels) {
      const key = keptKeys.get(labels) ?? labelsKey(labels);
      const found = known.get(key);
      if (found !== undefined) return found;
      const clean = Object.values(labels).includes('')
        ? Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''))
        : labels;
      known.set(key, clean);
      return clean;
    },
  };
}

/** Label sets that are remembered before remembering begins anew; keeps churning series from filling the memory. */
const MAX_REMEMBERED_LABELS = 200_000;

/** One interner for many queries, as most of them read the same series. It is replaced when it has become too large. */
export type SharedInterner = { current(): Interner };

export function shareInterner(): SharedInterner {
  let interner = createInterner();
  return {
    current() {
      if (interner.size > MAX_REMEMBERED_LABELS) interner = createInterner();
      return interner;
    },
  };
}
