import { compareBytes, type Span, spanOf } from '../compare-bytes.ts';

export type ChangeKind = 'added' | 'removed' | 'changed';

/** A tab and the sum stand at the end of a line. */
const SUM_LENGTH = 33;

/** Counts rows that differ, and keeps the first keys of each kind in the order of their bytes. */
export class ChangedKeys {
  readonly counts: Record<ChangeKind, number> = { added: 0, removed: 0, changed: 0 };
  readonly #first: Record<ChangeKind, string[]> = { added: [], removed: [], changed: [] };
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** In the order of their keys. */
  get first(): readonly (readonly [ChangeKind, key: string])[] {
    const kinds = ['added', 'removed', 'changed'] as const;
    return kinds
      .flatMap((kind) => this.#first[kind].map((key) => [kind, key] as const))
      .sort(([, a], [, b]) => compareBytes(spanOf(a), spanOf(b)));
  }

  /**
   * Texts of lines, each a key, a tab and a sum of 32 letters; both in the order of the bytes of their keys, which may come
   * more than once. Of millions of lines none is cut out of its text.
   */
  compare(before: string, after: string): void {
    let [a, b] = [lineAt(before, 0), lineAt(after, 0)];
    while (a !== undefined || b !== undefined) {
      const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(keyIn(a), keyIn(b));
      if (order < 0 && a !== undefined) this.#add('removed', keyIn(a));
      else if (order > 0 && b !== undefined) this.#add('added', keyIn(b));
      else if (a !== undefined && b !== undefined && compareBytes(a, b) !== 0) this.#add('changed', keyIn(b));
      if (order <= 0 && a !== undefined) a = lineAt(before, a.to + 1);
      if (order >= 0 && b !== undefined) b = lineAt(after, b.to + 1);
    }
  }

  #add(kind: ChangeKind, key: Span): void {
    this.counts[kind] += 1;
    const kept = this.#first[kind];
    const last = kept.at(-1);
    if (kept.length === this.#most && last !== undefined && compareBytes(key, spanOf(last)) >= 0) return;
    const place = kept.findIndex((one) => compareBytes(key, spanOf(one)) < 0);
    kept.splice(place < 0 ? kept.length : place, 0, key.text.slice(key.from, key.to));
    if (kept.length > this.#most) kept.pop();
  }
}

function lineAt(text: string, from: number): Span | undefined {
  if (from >= text.length) return undefined;
  const end = text.indexOf('\n', from);
  return { text, from, to: end < 0 ? text.length : end };
}

function keyIn({ text, from, to }: Span): Span {
  return { text, from, to: to - SUM_LENGTH };
}
