import type { Millis } from '../../core/units.ts';
import { keptLabelsKey } from '../../promql/labels.ts';
import type { Labels } from '../../promql/series.ts';
import type { Sample } from '../batch.ts';
import { parseSeries } from './series-text.ts';

/** A series of the target. Its sample is the same object in every scrape, so that thousands are not made anew every second. */
type TableEntry = {
  readonly sample: { readonly labels: Labels; value: number; timestamp: Millis | undefined };
  /** The scrape in which the series was last seen, and the time it stated then. */
  scrape: number;
  timestamp: Millis | undefined;
};

/** A text that stands for a series, and the one that came after it in the last scrape: very likely it does again. */
type KnownText = { readonly text: string; readonly entry: TableEntry; next: KnownText | undefined };

const TOLERATED_EXCESS = 1.25;

const SPACE = 32;
const TAB = 9;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Remembers, from scrape to scrape of one target, which labels each text of a series stands for. A target sends the same
 * texts every time, and in the same order, so all but its first scrape cost one comparison per line, and hand out the same
 * objects: what a scrape gave is right until the next one begins.
 */
export class SeriesTable {
  readonly #finish: (exposed: Labels) => Labels;
  readonly #byText = new Map<string, KnownText>();
  readonly #byKey = new Map<string, TableEntry>();
  /** Stands before the first one. */
  readonly #head: KnownText = { text: '', entry: createEntry({}), next: undefined };
  #last = this.#head;
  #scrape = 0;
  #seen = 0;

  /** `finish` makes a series' labels of the exposed ones, say by adding those of the target. */
  constructor(finish: (exposed: Labels) => Labels = (exposed) => exposed) {
    this.#finish = finish;
  }

  get size(): number {
    return this.#byText.size;
  }

  /** Begins a scrape. What the last one did not send is forgotten, unless it is little. */
  begin(): void {
    // What came after the last one is not of the last scrape, and may be forgotten now.
    if (this.#last !== this.#head) this.#last.next = undefined;
    this.#last = this.#head;
    if (this.#byText.size > TOLERATED_EXCESS * this.#seen) this.#forgetUnseen();
    this.#scrape++;
    this.#seen = 0;
  }

  /** Where the text of the series ends that begins at `at`, if it is the one that is expected there; -1 if it is not. */
  foreseen(line: string, at: number): number {
    const expected = this.#last.next;
    if (expected === undefined || !line.startsWith(expected.text, at)) return -1;
    const end = at + expected.text.length;
    if (!endsThere(line, end)) return -1;
    this.#last = expected;
    return end;
  }

  /** Goes on with the series that this text stands for. Throws an ExpositionError for what is not a series. */
  lookUp(text: string, line: number): void {
    const found = this.#byText.get(text) ?? this.#add(detached(text), line);
    this.#last.next = found;
    this.#last = found;
  }

  /**
   * The sample of the series that came last. Undefined if it was already seen in this scrape, other than with an earlier
   * timestamp.
   */
  take(value: number, timestamp: Millis | undefined): Sample | undefined {
    const { entry } = this.#last;
    const isFirst = entry.scrape !== this.#scrape;
    if (!isFirst && !isLater(timestamp, entry.timestamp)) return undefined;
    entry.scrape = this.#scrape;
    entry.timestamp = timestamp;
    this.#seen++;
    if (!isFirst) return { labels: entry.sample.labels, value, timestamp };
    entry.sample.value = value;
    entry.sample.timestamp = timestamp;
    return entry.sample;
  }

  #add(text: string, line: number): KnownText {
    const labels = this.#finish(parseSeries(text, line));
    const key = keptLabelsKey(labels);
    const entry = this.#byKey.get(key) ?? createEntry(labels);
    const known = { text, entry, next: undefined };
    this.#byKey.set(key, entry);
    this.#byText.set(text, known);
    return known;
  }

  #forgetUnseen(): void {
    for (const [text, { entry }] of this.#byText) {
      if (entry.scrape !== this.#scrape) this.#byText.delete(text);
    }
    for (const [key, entry] of this.#byKey) {
      if (entry.scrape !== this.#scrape) this.#byKey.delete(key);
    }
  }
}

function createEntry(labels: Labels): TableEntry {
  return { sample: { labels, value: Number.NaN, timestamp: undefined }, scrape: 0, timestamp: undefined };
}

/** Whether a text of a series that was read up to here is whole: braces may follow a bare name, also behind blanks. */
function endsThere(line: string, end: number): boolean {
  if (line.charCodeAt(end - 1) === CLOSE_BRACE) return true;
  let at = end;
  while (line.charCodeAt(at) === SPACE || line.charCodeAt(at) === TAB) at++;
  return at > end && line.charCodeAt(at) !== OPEN_BRACE;
}

function isLater(timestamp: Millis | undefined, than: Millis | undefined): boolean {
  return timestamp !== undefined && than !== undefined && timestamp > than;
}

/** A copy with memory of its own: a slice would keep the whole answer, megabytes, alive. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
