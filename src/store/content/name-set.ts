/** SHA-256 as in a name: 64 hexadecimal digits in lower case. */
const DIGEST = /^[0-9a-f]{64}$/;
const SLOT_BYTES = 32;
const FEWEST_SLOTS = 16;
/** Fuller than this, looking becomes long. */
const MOST_FILLED = 0.8;
const GROWTH = 1.5;
/** The beginning of names in a shard is the same; here they differ. */
const HASH_AT = 8;

const wanted = Buffer.alloc(SLOT_BYTES);

/**
 * Names that are SHA-256 sums, in a fifth of the memory that a Set of texts takes: a store has one for each piece, and a
 * capture for each file. Other names are kept as they are. A table with open addressing; an empty slot is all zeros.
 */
export class NameSet {
  #slots = Buffer.alloc(FEWEST_SLOTS * SLOT_BYTES);
  #used = 0;
  /** What is no sum, and the sum that is all zeros. */
  readonly #others = new Set<string>();

  constructor(names: Iterable<string> = []) {
    for (const name of names) this.add(name);
  }

  get size(): number {
    return this.#used + this.#others.size;
  }

  has(name: string): boolean {
    return read(name) ? !this.#isFree(this.#find()) : this.#others.has(name);
  }

  add(name: string): this {
    if (!read(name)) {
      this.#others.add(name);
      return this;
    }
    const slot = this.#find();
    if (!this.#isFree(slot)) return this;
    wanted.copy(this.#slots, slot * SLOT_BYTES);
    this.#used += 1;
    if (this.#used > this.#capacity * MOST_FILLED) this.#grow();
    return this;
  }

  delete(name: string): boolean {
    if (!read(name)) return this.#others.delete(name);
    const slot = this.#find();
    if (this.#isFree(slot)) return false;
    this.#used -= 1;
    this.#close(slot);
    return true;
  }

  get #capacity(): number {
    return this.#slots.length / SLOT_BYTES;
  }

  /** Where what is wanted stands, or would stand. */
  #find(): number {
    let slot = this.#homeOf(wanted, 0);
    while (!this.#isFree(slot) && wanted.compare(this.#slots, slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES) !== 0) {
      slot = (slot + 1) % this.#capacity;
    }
    return slot;
  }

  #homeOf(bytes: Buffer, from: number): number {
    return bytes.readUInt32LE(from + HASH_AT) % this.#capacity;
  }

  #isFree(slot: number): boolean {
    const from = slot * SLOT_BYTES;
    for (let at = from; at < from + SLOT_BYTES; at += 1) if (this.#slots[at] !== 0) return false;
    return true;
  }

  /** Empties a slot, and moves into it what stands behind it only because it was taken. */
  #close(emptied: number): void {
    let free = emptied;
    for (let slot = (free + 1) % this.#capacity; !this.#isFree(slot); slot = (slot + 1) % this.#capacity) {
      const home = this.#homeOf(this.#slots, slot * SLOT_BYTES);
      const isReached =
        (slot - home + this.#capacity) % this.#capacity < (slot - free + this.#capacity) % this.#capacity;
      if (isReached) continue;
      this.#slots.copy(this.#slots, free * SLOT_BYTES, slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
      free = slot;
    }
    this.#slots.fill(0, free * SLOT_BYTES, (free + 1) * SLOT_BYTES);
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = Buffer.alloc(Math.ceil(this.#capacity * GROWTH) * SLOT_BYTES);
    for (let from = 0; from < before.length; from += SLOT_BYTES) {
      before.copy(wanted, 0, from, from + SLOT_BYTES);
      if (!wanted.every((byte) => byte === 0)) wanted.copy(this.#slots, this.#find() * SLOT_BYTES);
    }
  }
}

const NOTHING = '0'.repeat(2 * SLOT_BYTES);

/** Makes a name what is wanted; false if it is none that has a slot. */
function read(name: string): boolean {
  return DIGEST.test(name) && name !== NOTHING && wanted.write(name, 'hex') === SLOT_BYTES;
}
