import type { Millis } from '../../core/units.ts';
import type { Budget } from './budget.ts';

const SMALLEST_CAPACITY = 16;
/** How much larger an array is made than its content, when it has to be made anew. */
const SLACK = 1.1;
const BYTES = Float64Array.BYTES_PER_ELEMENT;

/** Who has a row, and is told when it has another number. */
export interface RowOwner {
  moved(row: number): void;
}

/**
 * The timestamps of one target's samplings, shared by its series, and a row of values for each of these. All rows lie in one
 * block of memory, one behind the other: thousands of small arrays would take up a third more, and come and go together.
 *
 * Live entries stand at `start <= index < end`. They are appended at the end and dropped at the start by moving `start`; only
 * when the arrays are full is everything shifted to the front, so that a sampling costs one write per series.
 */
export class Column {
  readonly budget: Budget;
  #times: Float64Array = new Float64Array(SMALLEST_CAPACITY);
  #block: Float64Array<ArrayBuffer> = new Float64Array(0);
  /** By row; the block has room for as many. */
  #owners: (RowOwner | undefined)[] = [];
  readonly #free: number[] = [];
  #start = 0;
  #end = 0;
  #shifted = 0;
  #epoch = 0;
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

  /** By how much indexes have moved to the front so far; an index plus this stays the same for as long as its entry lives. */
  get shifted(): number {
    return this.#shifted;
  }

  /** Changes when rows have to be asked for again. */
  get epoch(): number {
    return this.#epoch;
  }

  get lastTime(): Millis {
    return this.#times[this.#end - 1] ?? Number.NEGATIVE_INFINITY;
  }

  /** How many entries were dropped before their time because the budget was spent. */
  get evicted(): number {
    return this.#evicted;
  }

  /** The number of a new row, or undefined if the budget is spent. What is in it is anything. */
  addRow(owner: RowOwner): number | undefined {
    if (this.#free.length === 0 && !this.#addRows()) return undefined;
    const row = this.#free.pop();
    if (row !== undefined) this.#owners[row] = owner;
    return row;
  }

  removeRow(row: number): void {
    this.#owners[row] = undefined;
    this.#free.push(row);
    if (this.#free.length === this.#owners.length) this.#dropBlock();
  }

  /** The values of a row, beside the times; right until `epoch` changes. */
  row(row: number): Float64Array {
    const capacity = this.#times.length;
    return this.#block.subarray(row * capacity, (row + 1) * capacity);
  }

  /** Gives all memory back. The column must have no rows, and is not used afterwards. */
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
    const rows = this.#wantedRows();
    const change = (wanted * (rows + 1) - capacity * (this.#owners.length + 1)) * BYTES;
    if (change <= 0) this.budget.give(-change);
    else if (!this.budget.take(change)) return this.#evict();
    if (wanted === capacity && rows === this.#owners.length) this.#shift();
    else this.#rebuild(wanted, rows);
  }

  /** Fewer if most are free. */
  #wantedRows(): number {
    const used = this.#owners.length - this.#free.length;
    return used * 2 < this.#owners.length ? Math.ceil(used * SLACK) : this.#owners.length;
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
    this.#shift();
  }

  /** Moves all live entries to the front. */
  #shift(): void {
    const capacity = this.#times.length;
    const [from, to] = [this.#start, this.#end];
    this.#times.copyWithin(0, from, to);
    for (let at = 0; at < this.#block.length; at += capacity) this.#block.copyWithin(at, at + from, at + to);
    this.#begin(from);
  }

  /** The same into new arrays, with the rows that are used together. */
  #rebuild(capacity: number, rows: number): void {
    const before = this.#times.length;
    const [from, to] = [this.#start, this.#end];
    const block = new Float64Array(rows * capacity);
    const copyRow = rowCopier(this.#block, block, to - from);
    const owners = this.#owners.filter((owner) => owner !== undefined);
    let next = 0;
    for (let row = 0; row < this.#owners.length; row += 1) {
      const owner = this.#owners[row];
      if (owner === undefined) continue;
      copyRow(row * before + from, next * capacity);
      owner.moved(next);
      next += 1;
    }
    const times = new Float64Array(capacity);
    times.set(this.#times.subarray(from, to));
    this.#times = times;
    this.#replace(block, [...owners, ...Array.from({ length: rows - next }, () => undefined)]);
    this.#begin(from);
  }

  #begin(from: number): void {
    this.#shifted += from;
    this.#end -= from;
    this.#start = 0;
  }

  #addRows(): boolean {
    const capacity = this.#times.length;
    const before = this.#owners.length;
    const rows = before < 2 ? before + 1 : Math.ceil(before * SLACK);
    if (!this.budget.take((rows - before) * capacity * BYTES)) return false;
    const block = new Float64Array(rows * capacity);
    block.set(this.#block);
    this.#replace(block, [...this.#owners, ...Array.from({ length: rows - before }, () => undefined)]);
    return true;
  }

  #dropBlock(): void {
    this.budget.give(this.#block.length * BYTES);
    this.#replace(new Float64Array(0), []);
  }

  #replace(block: Float64Array<ArrayBuffer>, owners: (RowOwner | undefined)[]): void {
    // Nobody reads it any more, and it is the largest thing that there is: it goes now, not when it is found to be garbage.
    this.#block.buffer.transfer(0);
    this.#block = block;
    this.#owners = owners;
    this.#free.length = 0;
    for (let row = owners.length - 1; row >= 0; row -= 1) if (owners[row] === undefined) this.#free.push(row);
    this.#epoch += 1;
  }
}

/**
 * Copies so many values from a place of one block to one of the other. In halves of a double, as a number might lose the bits
 * of a staleness marker; and without a view of each row, which of thousands would be more to clean up than this takes.
 */
function rowCopier(
  from: Float64Array<ArrayBuffer>,
  to: Float64Array<ArrayBuffer>,
  length: number,
): (source: number, place: number) => void {
  const read = new Uint32Array(from.buffer);
  const written = new Uint32Array(to.buffer);
  return (source, place) => {
    for (let i = 0; i < 2 * length; i += 1) written[2 * place + i] = read[2 * source + i] ?? 0;
  };
}
