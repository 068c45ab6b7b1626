import { labelsPredicate } from '../../promql/matcher.ts';
import type { Labels, Matcher } from '../../promql/series.ts';

/** Finds series by their labels. Nearly every selector names its metric, so the index is by `__name__`. */
export class SeriesIndex<S extends { readonly labels: Labels }> {
  readonly #byName = new Map<string, Set<S>>();
  #generation = 0;

  /** Changes with every series that is added or removed, and with `invalidate`. */
  get generation(): number {
    return this.#generation;
  }

  add(series: S): void {
    const name = nameOf(series.labels);
    const named = this.#byName.get(name);
    if (named === undefined) this.#byName.set(name, new Set([series]));
    else named.add(series);
    this.#generation++;
  }

  remove(series: S): void {
    const name = nameOf(series.labels);
    const named = this.#byName.get(name);
    if (named === undefined || !named.delete(series)) return;
    if (named.size === 0) this.#byName.delete(name);
    this.#generation++;
  }

  /** Tells readers to ask again, as something else about the series changed that they may have kept. */
  invalidate(): void {
    this.#generation++;
  }

  /** In the order in which the series of each name were added. Throws a `PromqlError` for a regex that is no RE2. */
  find(matchers: readonly Matcher[]): S[] {
    const accepts = labelsPredicate(matchers.filter((matcher) => matcher.name !== '__name__'));
    const found: S[] = [];
    for (const named of this.#named(matchers.filter((matcher) => matcher.name === '__name__'))) {
      for (const series of named) if (accepts(series.labels)) found.push(series);
    }
    return found;
  }

  #named(matchers: readonly Matcher[]): Set<S>[] {
    const exact = matchers.find((matcher) => matcher.op === '=');
    const accepts = labelsPredicate(matchers.filter((matcher) => matcher !== exact));
    const candidates = exact === undefined ? this.#byName.keys() : [exact.value];
    return [...candidates]
      .filter((name) => accepts({ __name__: name }))
      .flatMap((name) => this.#byName.get(name) ?? []);
  }
}

function nameOf(labels: Labels): string {
  return labels['__name__'] ?? '';
}
