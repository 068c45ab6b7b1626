import type { Versions } from './conflict.ts';

/** Rows in the order of their keys, many at a time: waiting for each would take longer than merging it. */
export type Batches<T> = AsyncIterable<readonly T[]>;

export type SortedSides<T> = {
  /** Absent where it is not known how it was. */
  readonly ancestor?: Batches<T>;
  readonly live: Batches<T>;
  readonly snapshot: Batches<T>;
};

/** So many keys are given at a time. */
const BATCH = 1_000;

/**
 * What stands under each key that one of them has, in order. Only a batch of each side is in memory.
 * @throws {RangeError} where a side is out of order, or has a key twice.
 */
export async function* joinSorted<T>(
  { ancestor, live, snapshot }: SortedSides<T>,
  compare: (a: T, b: T) => number,
): AsyncGenerator<readonly Versions<T>[]> {
  const heads = {
    ancestor: new Head(ancestor ?? NOTHING, 'ancestor', compare),
    live: new Head(live, 'live', compare),
    snapshot: new Head(snapshot, 'snapshot', compare),
  };
  const all = Object.values(heads);
  let joined: Versions<T>[] = [];
  try {
    for (;;) {
      for (const head of all) if (head.isDry) await head.fill();
      const first = leastOf(all, compare);
      if (first === undefined) break;
      const take = (head: Head<T>) =>
        head.current !== undefined && compare(head.current, first) === 0 ? head.take() : undefined;
      joined.push({ ancestor: take(heads.ancestor), live: take(heads.live), snapshot: take(heads.snapshot) });
      if (joined.length < BATCH) continue;
      yield joined;
      joined = [];
    }
    if (joined.length > 0) yield joined;
  } finally {
    for (const head of all) await head.close();
  }
}

const NOTHING: Batches<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
};

function leastOf<T>(heads: readonly Head<T>[], compare: (a: T, b: T) => number): T | undefined {
  let least: T | undefined;
  for (const { current } of heads) {
    if (current !== undefined && (least === undefined || compare(current, least) < 0)) least = current;
  }
  return least;
}

/** The next row of a side. */
class Head<T> {
  readonly #iterator: AsyncIterator<readonly T[]>;
  readonly #name: string;
  readonly #compare: (a: T, b: T) => number;
  #batch: readonly T[] = [];
  #position = 0;
  #isOver = false;

  constructor(batches: Batches<T>, name: string, compare: (a: T, b: T) => number) {
    this.#iterator = batches[Symbol.asyncIterator]();
    this.#name = name;
    this.#compare = compare;
  }

  get current(): T | undefined {
    return this.#batch[this.#position];
  }

  get isDry(): boolean {
    return !this.#isOver && this.#position >= this.#batch.length;
  }

  async fill(): Promise<void> {
    const before = this.#batch.at(-1);
    while (this.isDry) {
      const { done, value } = await this.#iterator.next();
      this.#isOver = done === true;
      this.#batch = done === true ? [] : value;
      this.#position = 0;
    }
    this.#refuseDisorder(before, this.current);
  }

  take(): T | undefined {
    const taken = this.current;
    this.#position += 1;
    if (this.#position < this.#batch.length) this.#refuseDisorder(taken, this.current);
    return taken;
  }

  async close(): Promise<void> {
    if (!this.#isOver) await this.#iterator.return?.();
  }

  #refuseDisorder(before: T | undefined, after: T | undefined): void {
    if (before === undefined || after === undefined || this.#compare(before, after) < 0) return;
    throw new RangeError(`the rows of ${this.#name} are not in the order of their keys`);
  }
}
