import { fromReadingValue, type ReadingValue, toReadingValue } from '../core/observed.ts';
import type { TriggerState } from '../core/triggers/trigger-memory.ts';
import type { Millis } from '../core/units.ts';

export type RecordedReading = {
  readonly trigger: string;
  readonly at: Millis;
  readonly value: ReadingValue | null;
  readonly state: TriggerState;
};

/** The states as numbers, by gravity. */
export const GRAVITY = ['unknown', 'inactive', 'pending', 'firing'] as const satisfies readonly TriggerState[];

/** Added to the state of a reading without a value. */
const VALUELESS = GRAVITY.length;

/** Of each reading: the number of its trigger, its time, its value, its state. */
const FIELD = { trigger: 0, at: 1, value: 2, state: 3 } as const;
const FIELDS = 4;
const SMALLEST = 64 * FIELDS;

/**
 * Readings that wait to be written, as numbers in one array that is used again and again: a thousand triggers leave ten thousand
 * readings in the seconds between, which as objects would be most of what there is to collect.
 */
export class PendingReadings {
  readonly #numberOf = new Map<string, number>();
  readonly #triggers: string[] = [];
  #fields = new Float64Array(SMALLEST);
  #end = 0;

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  note({ trigger, at, value, state }: RecordedReading): void {
    if (this.#end === this.#fields.length) this.#grow();
    const fields = this.#fields;
    fields[this.#end + FIELD.trigger] = this.#number(trigger);
    fields[this.#end + FIELD.at] = at;
    fields[this.#end + FIELD.value] = value === null ? 0 : fromReadingValue(value);
    fields[this.#end + FIELD.state] = GRAVITY.indexOf(state) + (value === null ? VALUELESS : 0);
    this.#end += FIELDS;
  }

  /** Those of one trigger, in the order in which they were noted. */
  of(trigger: string): RecordedReading[] {
    const found: RecordedReading[] = [];
    const number = this.#numberOf.get(trigger);
    if (number === undefined) return found;
    for (let place = 0; place < this.#end; place += FIELDS) {
      if (this.#fields[place + FIELD.trigger] === number) found.push(this.#reading(trigger, place));
    }
    return found;
  }

  /** All, by trigger. */
  byTrigger(): Map<string, RecordedReading[]> {
    const found = new Map(this.#triggers.map((trigger): [string, RecordedReading[]] => [trigger, []]));
    for (let place = 0; place < this.#end; place += FIELDS) {
      const trigger = this.#triggers[this.#fields[place + FIELD.trigger] ?? 0] ?? '';
      found.get(trigger)?.push(this.#reading(trigger, place));
    }
    return found;
  }

  clear(): void {
    this.#end = 0;
    this.#triggers.length = 0;
    this.#numberOf.clear();
  }

  #reading(trigger: string, place: number): RecordedReading {
    const state = this.#fields[place + FIELD.state] ?? 0;
    return {
      trigger,
      at: this.#fields[place + FIELD.at] ?? 0,
      value: state < VALUELESS ? toReadingValue(this.#fields[place + FIELD.value] ?? 0) : null,
      state: GRAVITY[state % VALUELESS] ?? 'unknown',
    };
  }

  #number(trigger: string): number {
    const known = this.#numberOf.get(trigger);
    if (known !== undefined) return known;
    const number = this.#triggers.push(trigger) - 1;
    this.#numberOf.set(trigger, number);
    return number;
  }

  #grow(): void {
    const larger = new Float64Array(this.#fields.length * 2);
    larger.set(this.#fields);
    this.#fields = larger;
  }
}
