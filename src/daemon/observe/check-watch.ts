import type { Check, CheckResult } from '../../core/model/check.ts';
import type { Millis } from '../../core/units.ts';
import type { WantedCheck } from '../../core/wants.ts';

/** A check that is wanted is made again after so long. */
export const RECHECK_MS: Millis = 1_000;

/** Makes one check; never rejects. */
export type MakeCheck = (check: Check) => Promise<Omit<CheckResult, 'at'>>;

/** Keeps the newest result of every wanted check. */
export class CheckWatch {
  readonly #make: MakeCheck;
  readonly #now: () => Millis;
  readonly #onChange: () => void;
  readonly #results = new Map<string, CheckResult>();
  readonly #under = new Map<string, symbol>();

  constructor(make: MakeCheck, now: () => Millis, onChange: () => void) {
    this.#make = make;
    this.#now = now;
    this.#onChange = onChange;
  }

  get results(): Readonly<Record<string, CheckResult>> {
    return Object.fromEntries(this.#results);
  }

  /** Begins the checks that are missing or due; forgets the results that nobody wants any more. */
  refresh(wanted: readonly WantedCheck[]): void {
    const keys = new Set(wanted.map(({ check }) => check.key));
    for (const key of this.#results.keys()) if (!keys.has(key)) this.#results.delete(key);
    for (const { check, freshAfter } of wanted) {
      const result = this.#results.get(check.key);
      const due = result === undefined || result.at < freshAfter || this.#now() - result.at >= RECHECK_MS;
      if (due && !this.#under.has(check.key)) void this.#check(check);
    }
  }

  /** Nothing that was found or is being found counts any more: the clock by which it was has been set. */
  forget(): void {
    this.#results.clear();
    this.#under.clear();
  }

  async #check(check: Check): Promise<void> {
    const turn = Symbol(check.key);
    this.#under.set(check.key, turn);
    const at = this.#now();
    const result = await this.#make(check);
    if (this.#under.get(check.key) !== turn) return;
    this.#under.delete(check.key);
    this.#results.set(check.key, { ...result, at });
    this.#onChange();
  }
}
