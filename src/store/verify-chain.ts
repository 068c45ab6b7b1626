import type { Millis } from '../core/units.ts';
import type { Database } from './database.ts';
import { textOf } from './database.ts';
import { chainHash, GENESIS } from './hash-chain.ts';

/** The last event of a log, as it was said elsewhere: in the journal, or by `audit verify`. */
export type LogHead = {
  readonly seq: number;
  readonly hash: string;
  /** When it was said, if that is known. */
  readonly at?: Millis;
};

/**
 * `missing`: events are not there. `altered`: what stands there is not what was written, or not in that place. `cut`: the log
 * ends before a head that was said elsewhere. `rewritten`: every hash follows, and yet it is another log than the one that
 * the head was of. `from` and `to` are events, both included.
 */
export type ChainFault = {
  readonly kind: 'missing' | 'altered' | 'cut' | 'rewritten';
  readonly from: number;
  readonly to: number;
};

export type ChainVerdict = {
  readonly records: number;
  /** The hash of the last event; of 64 zeros while there is none. */
  readonly head: string;
  /** The first event that is not what was written; null if the log is whole. */
  readonly brokenAt: number | null;
  /** The first few, in their order. */
  readonly faults: readonly ChainFault[];
  /** How many heads it has as they were said. */
  readonly confirmed: number;
  /** How many heads are of what a restore of a backup put this log in the place of. */
  readonly superseded: number;
};

/** So many are looked at in one go, which takes few milliseconds. */
const BATCH = 500;
/** More say no more. */
const MOST_FAULTS = 20;

/**
 * Recomputes the hashes of all events, and compares them with heads that were said elsewhere: whoever may write the file can
 * recompute hashes too, but not change what the journal keeps. Yields between batches, so that a daemon can go on meanwhile.
 */
export function* verifyChain(database: Database, heads: readonly LogHead[]): Generator<void, ChainVerdict, void> {
  const walk = new ChainWalk(heads);
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = database.all('SELECT * FROM events WHERE seq > ? ORDER BY seq LIMIT ?', after, BATCH);
    for (const row of rows) {
      const [seq, at] = [Number(row['seq']), Number(row['at'])];
      const [type, actor, data] = [textOf(row['type']), textOf(row['actor']), textOf(row['data'])];
      walk.take({ seq, at, type, actor, data }, textOf(row['hash']));
      after = seq;
    }
    if (rows.length < BATCH) return walk.end();
    yield;
  }
}

class ChainWalk {
  readonly #heads: ReadonlyMap<number, LogHead[]>;
  readonly #faults: ChainFault[] = [];
  readonly #refuted: LogHead[] = [];
  #seq = 0;
  #hash = GENESIS;
  #records = 0;
  #confirmedTo = 0;
  #confirmed = 0;
  /** The newest restore of a backup: its number in the log, and when that was. */
  #restored: { readonly seq: number; readonly at: Millis } | null = null;

  constructor(heads: readonly LogHead[]) {
    this.#heads = Map.groupBy(heads, ({ seq }) => seq);
    this.#compare(0, GENESIS);
  }

  take(record: Parameters<typeof chainHash>[1], hash: string): void {
    const { seq, at, type } = record;
    this.#records += 1;
    if (seq !== this.#seq + 1) this.#note({ kind: 'missing', from: this.#seq + 1, to: seq - 1 });
    // After a gap there is nothing that the hash could follow from.
    else if (chainHash(this.#hash, record) !== hash) this.#note({ kind: 'altered', from: seq, to: seq });
    this.#seq = seq;
    this.#hash = hash;
    if (type === 'store.restored') this.#restored = { seq, at };
    this.#compare(seq, hash);
  }

  end(): ChainVerdict {
    const cut = [...this.#heads.keys()].filter((seq) => seq > this.#seq).flatMap((seq) => this.#heads.get(seq) ?? []);
    const refuted = [...this.#refuted, ...cut];
    const counted = refuted.filter((head) => !this.#isSuperseded(head));
    this.#judge(counted);
    const faults = this.#faults.sort((a, b) => a.from - b.from).slice(0, MOST_FAULTS);
    const superseded = refuted.length - counted.length;
    const brokenAt = faults[0]?.from ?? null;
    return {
      records: this.#records,
      head: this.#hash,
      brokenAt,
      faults,
      confirmed: this.#confirmed,
      superseded,
    };
  }

  #compare(seq: number, hash: string): void {
    for (const head of this.#heads.get(seq) ?? []) {
      if (head.hash !== hash) {
        this.#refuted.push(head);
        continue;
      }
      this.#confirmed += 1;
      this.#confirmedTo = seq;
    }
  }

  /** What was said before a backup was restored, of events that the backup did not have. */
  #isSuperseded({ seq, at }: LogHead): boolean {
    return this.#restored !== null && at !== undefined && at <= this.#restored.at && seq >= this.#restored.seq;
  }

  #judge(heads: readonly LogHead[]): void {
    const isAltered = this.#faults.length > 0;
    const last = Math.max(...heads.map(({ seq }) => seq));
    if (last > this.#seq) this.#note({ kind: 'cut', from: this.#seq + 1, to: last });
    const [first] = heads.filter(({ seq }) => seq <= this.#seq).sort((a, b) => a.seq - b.seq);
    // A hash that was changed by itself is named already, and refutes its head too.
    if (first !== undefined && !isAltered) {
      const known = Math.min(this.#confirmedTo, first.seq - 1);
      this.#note({ kind: 'rewritten', from: known + 1, to: first.seq });
    }
  }

  #note(fault: ChainFault): void {
    const before = this.#faults.at(-1);
    const goesOn = before?.kind === 'altered' && fault.kind === 'altered' && before.to === fault.from - 1;
    if (goesOn) this.#faults[this.#faults.length - 1] = { ...before, to: fault.to };
    else if (this.#faults.length < MOST_FAULTS || fault.kind === 'cut') this.#faults.push(fault);
  }
}
