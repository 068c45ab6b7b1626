import type { Millis } from '../../core/units.ts';
import type { Budget } from './budget.ts';

const SMALLEST_CAPACITY = 16;
const SLACK = 1.5;
const BYTES = Float64Array.BYTES_PER_ELEMENT;

/** Arrays that stand beside a column and must move with it. */
export interface Row {
  relocate(move: Relocation): void;
}

/** What was at `from` is now at 0, in arrays of `capacity`. */
export type Relocation = { readonly from: number; readonly to: number; readonly capacity: number };

/**
 * The timestamps of one target's samplings, shared by its series. Live entries stand at `start <= index < end`.
 * Entries are appended at the end and dropped at the start by moving `start`; the arrays are shifted only when they
 * are full, and have half of their content as slack, so that a sampling costs one write per series.
 */
export class Column {
  readonly budget: Budget;
  readonly #rows = new Set<Row>();
  #times: Float64Array = new Float64Array(SMALLEST_CAPACITY);
  #start = 0;
  #end = 0;
  #evicted = 0;

  constructor(budget: Budget) {
    this.budget = budget;
    budget.charge(this.#times.length * BYTES);
  }

  get times(): Float64Array {
    return this.#times;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get lastTime(): Millis {
    return this.#times[this.#end - 1] ?? Number.NEGATIVE_INFINITY;
  }

  /** How many entries were dropped before their time because the budget was spent. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The array for a new row, or undefined if the budget is spent. */
  addRow(row: Row): Float64Array | undefined {
    if (!this.budget.take(this.#times.length * BYTES)) return undefined;
    this.#rows.add(row);
    return new Float64Array(this.#times.length);
  }

  removeRow(row: Row): void {
    if (this.#rows.delete(row)) this.budget.give(this.#times.length * BYTES);
  }

  /** Gives the memory of the timestamps back. The column must have no rows, and is not used afterwards. */
  release(): void {
    this.budget.give(this.#times.length * BYTES);
    this.#times = new Float64Array(0);
    this.#start = 0;
    this.#end = 0;
  }

  /** `time` must be later than every earlier one. Answers its index. */
  append(time: Millis): number {
    if (this.#end === this.#times.length) this.#makeRoom();
    this.#times[this.#end] = time;
    return this.#end++;
  }

  dropBefore(time: Millis): void {
    while (this.#start < this.#end && (this.#times[this.#start] ?? time) < time) this.#start++;
  }

  #makeRoom(): void {
    const capacity = this.#times.length;
    const wanted = this.#wantedCapacity();
    const change = (wanted - capacity) * BYTES * (this.#rows.size + 1);
    if (change <= 0) this.budget.give(-change);
    else if (!this.budget.take(change)) return this.#evict();
    this.#relocate(wanted);
  }

  #wantedCapacity(): number {
    const capacity = this.#times.length;
    const wanted = Math.max(SMALLEST_CAPACITY, Math.ceil((this.#end - this.#start) * SLACK));
    return wanted <= capacity && wanted >= capacity / 2 ? capacity : wanted;
  }

  /** Without memory to grow, a shorter history is better than none: the oldest quarter goes. */
  #evict(): void {
    const live = this.#end - this.#start;
    const dropped = this.#start > 0 ? 0 : Math.max(1, Math.floor(live / 4));
    this.#start += dropped;
    this.#evicted += dropped;
    this.#relocate(this.#times.length);
  }

  #relocate(capacity: number): void {
    const move: Relocation = { from: this.#start, to: this.#end, capacity };
    for (const row of this.#rows) row.relocate(move);
    this.#times = relocated(this.#times, move);
    this.#end -= this.#start;
    this.#start = 0;
  }
}

/** The array after the move: the same one if the capacity stays. Stale markers keep their bits. */
export function relocated(array: Float64Array, { from, to, capacity }: Relocation): Float64Array {
  if (array.length === capacity) return array.copyWithin(0, from, to);
  const moved = new Float64Array(capacity);
  moved.set(array.subarray(from, to));
  return moved;
}
