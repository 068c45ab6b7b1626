import type { Measure, MeasureResult, SqlMeasure } from '../../core/model/measure.ts';
import type { Millis } from '../../core/units.ts';
import type { WantedMeasure } from '../../core/wants.ts';

/** What a database counts is counted again after so long: on a large one that is no small work. */
export const RECOUNT_MS: Millis = 30_000;

type QueryMeasure = Exclude<Measure, SqlMeasure>;

export type MeasureMeans = {
  /** Answers at once, out of the samples. */
  readonly query: (measure: QueryMeasure) => MeasureResult;
  /** Asks the database; never rejects. */
  readonly count: (measure: SqlMeasure, pointAt: Millis | null) => Promise<Pick<MeasureResult, 'value' | 'detail'>>;
  readonly now: () => Millis;
  readonly onChange: () => void;
};

type Kept = { readonly result: MeasureResult; readonly pointAt: Millis | null };

/** Keeps the newest result of every wanted measure. */
export class MeasureWatch {
  readonly #means: MeasureMeans;
  readonly #kept = new Map<string, Kept>();
  /** What is being counted; a count that was begun before the clock was set, or for another point, does not count. */
  readonly #under = new Map<string, { readonly pointAt: Millis | null }>();

  constructor(means: MeasureMeans) {
    this.#means = means;
  }

  get results(): Readonly<Record<string, MeasureResult>> {
    return Object.fromEntries([...this.#kept].map(([key, { result }]) => [key, result]));
  }

  /** Measures what is answered at once, and begins to count what is missing or due. */
  refresh(wanted: readonly WantedMeasure[]): void {
    const keys = new Set(wanted.map(({ measure }) => measure.key));
    for (const key of this.#kept.keys()) if (!keys.has(key)) this.#kept.delete(key);
    for (const { measure, freshAfter, pointAt } of wanted) {
      if (measure.kind === 'query') this.#kept.set(measure.key, { result: this.#means.query(measure), pointAt });
      else if (this.#isDue(measure, freshAfter, pointAt)) void this.#count(measure, pointAt);
    }
  }

  /** Nothing that was counted or is being counted holds any more: the clock by which it was has been set. */
  forget(): void {
    this.#kept.clear();
    this.#under.clear();
  }

  #isDue({ key }: SqlMeasure, freshAfter: Millis, pointAt: Millis | null): boolean {
    const under = this.#under.get(key);
    if (under !== undefined && under.pointAt === pointAt) return false;
    const kept = this.#kept.get(key);
    if (kept === undefined || kept.pointAt !== pointAt || kept.result.at < freshAfter) return true;
    return this.#means.now() - kept.result.at >= RECOUNT_MS;
  }

  async #count(measure: SqlMeasure, pointAt: Millis | null): Promise<void> {
    const { key } = measure;
    const turn = { pointAt };
    this.#under.set(key, turn);
    const at = this.#means.now();
    const counted = await this.#means.count(measure, pointAt);
    if (this.#under.get(key) !== turn) return;
    this.#under.delete(key);
    this.#kept.set(key, { result: { key, at, ...counted }, pointAt });
    this.#means.onChange();
  }
}
