import type { Hash } from './hash.ts';

/** What is kept of a state: 64 bits of its form, how it was reached, and where calm leads from it. */
export type Found = { readonly index: number; readonly isNew: boolean };

export const NOWHERE = -1;

/**
 * States by hash, in flat arrays of some 40 bytes each. Two of a million states share a hash with a probability of
 * 1 : 37,000,000.
 */
export class Visited {
  #slots = new Int32Array(1 << 16).fill(NOWHERE);
  #highs = new Uint32Array(1 << 15);
  #lows = new Uint32Array(1 << 15);
  #parents = new Int32Array(1 << 15);
  #moves = new Uint16Array(1 << 15);
  #disturbances = new Uint8Array(1 << 15);
  #calm = new Int32Array(1 << 15).fill(NOWHERE);
  #size = 0;
  #states = 0;

  /** Entries; a state that was reached anew with fewer disturbances has several. */
  get size(): number {
    return this.#size;
  }

  get states(): number {
    return this.#states;
  }

  /**
   * Finds a state, or adds it as reached from `parent` by the move numbered `move`. One that was known only at the price
   * of more disturbances is added once more, for more may follow from it now; the older entry keeps its path.
   */
  add({ high, low }: Hash, parent: number, move: number, disturbances: number): Found {
    const slot = this.#slotOf(high, low);
    const known = this.#slots[slot] ?? NOWHERE;
    if (known !== NOWHERE && this.disturbancesOf(known) <= disturbances) return { index: known, isNew: false };
    const index = this.#size;
    this.#slots[slot] = index;
    this.#highs[index] = high;
    this.#lows[index] = low;
    this.#parents[index] = parent;
    this.#moves[index] = move;
    this.#disturbances[index] = disturbances;
    this.#calm[index] = NOWHERE;
    this.#size += 1;
    if (known === NOWHERE) this.#states += 1;
    if (this.#size === this.#highs.length) this.#grow();
    return { index, isNew: true };
  }

  /** Where the state is, or where it would be. */
  #slotOf(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    let slot = low & mask;
    for (;;) {
      const index = this.#slots[slot] ?? NOWHERE;
      if (index === NOWHERE || (this.#highs[index] === high && this.#lows[index] === low)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  parentOf(index: number): number {
    return this.#parents[index] ?? NOWHERE;
  }

  moveOf(index: number): number {
    return this.#moves[index] ?? 0;
  }

  disturbancesOf(index: number): number {
    return this.#disturbances[index] ?? 0;
  }

  /** Where the calm move leads; `NOWHERE` while the state was not explored. */
  calmAfter(index: number): number {
    return this.#calm[index] ?? NOWHERE;
  }

  setCalm(index: number, next: number): void {
    this.#calm[index] = next;
  }

  #grow(): void {
    const capacity = this.#highs.length * 2;
    this.#highs = grown(this.#highs, new Uint32Array(capacity));
    this.#lows = grown(this.#lows, new Uint32Array(capacity));
    this.#parents = grown(this.#parents, new Int32Array(capacity));
    this.#moves = grown(this.#moves, new Uint16Array(capacity));
    this.#disturbances = grown(this.#disturbances, new Uint8Array(capacity));
    this.#calm = grown(this.#calm, new Int32Array(capacity));
    this.#slots = new Int32Array(capacity * 2).fill(NOWHERE);
    for (let index = 0; index < this.#size; index += 1) {
      this.#slots[this.#slotOf(this.#highs[index] ?? 0, this.#lows[index] ?? 0)] = index;
    }
  }
}

function grown<T extends Int32Array | Uint32Array | Uint16Array | Uint8Array>(before: T, after: T): T {
  after.set(before);
  return after;
}
