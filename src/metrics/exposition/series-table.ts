import type { Millis } from '../../core/units.ts';
import { keptLabelsKey } from '../../promql/labels.ts';
import type { Labels } from '../../promql/series.ts';
import { parseSeries } from './series-text.ts';

export type TableEntry = {
  readonly labels: Labels;
  /** The scrape in which the series was last seen, and the time it stated then. */
  scrape: number;
  timestamp: Millis | undefined;
};

const TOLERATED_EXCESS = 1.25;

/**
 * Remembers, from scrape to scrape of one target, which labels each text of a series stands for. A target sends the same
 * texts every time, so all but its first scrape cost one look-up per line, and hand out the same objects.
 */
export class SeriesTable {
  readonly #finish: (exposed: Labels) => Labels;
  readonly #byText = new Map<string, TableEntry>();
  readonly #byKey = new Map<string, TableEntry>();
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
    if (this.#byText.size > TOLERATED_EXCESS * this.#seen) this.#forgetUnseen();
    this.#scrape++;
    this.#seen = 0;
  }

  /** Whether the series was already seen in this scrape, other than with an earlier timestamp. */
  see(entry: TableEntry, timestamp: Millis | undefined): boolean {
    const repeated = entry.scrape === this.#scrape && !isLater(timestamp, entry.timestamp);
    entry.scrape = this.#scrape;
    entry.timestamp = timestamp;
    this.#seen++;
    return !repeated;
  }

  /** Throws an ExpositionError for what is not a series. */
  lookUp(text: string, line: number): TableEntry {
    return this.#byText.get(text) ?? this.#add(detached(text), line);
  }

  #add(text: string, line: number): TableEntry {
    const labels = this.#finish(parseSeries(text, line));
    const key = keptLabelsKey(labels);
    const entry = this.#byKey.get(key) ?? { labels, scrape: 0, timestamp: undefined };
    this.#byKey.set(key, entry);
    this.#byText.set(text, entry);
    return entry;
  }

  #forgetUnseen(): void {
    for (const [text, entry] of this.#byText) {
      if (entry.scrape !== this.#scrape) this.#byText.delete(text);
    }
    for (const [key, entry] of this.#byKey) {
      if (entry.scrape !== this.#scrape) this.#byKey.delete(key);
    }
  }
}

function isLater(timestamp: Millis | undefined, than: Millis | undefined): boolean {
  return timestamp !== undefined && than !== undefined && timestamp > than;
}

/** A copy with memory of its own: a slice would keep the whole answer, megabytes, alive. */
function detached(text: string): string {
  return Buffer.from(text).toString();
}
