import { type Target, trackOf } from '../../core/model/target.ts';
import type { TargetSight } from '../../core/observed.ts';
import { isSame } from '../../core/record.ts';
import type { Millis } from '../../core/units.ts';
import type { TargetDrivers } from '../../drivers/targets/registry.ts';

/** A target is looked at again after so long. */
export const LOOK_AGAIN_MS: Millis = 5_000;
const READ_DEADLINE_MS: Millis = 30_000;
const FETCH_DEADLINE_MS: Millis = 120_000;

type Watched = {
  readonly sight: TargetSight | undefined;
  readonly fetchedAt: Millis | null;
  /** Why the newest state could not be asked for last. */
  readonly fault: string | null;
};

/** Keeps the newest sight of every target, and asks now and then for what is tracked. */
export class TargetWatch {
  readonly #drivers: TargetDrivers;
  readonly #now: () => Millis;
  readonly #onChange: () => void;
  readonly #watched = new Map<string, Watched>();
  /** What is being looked at; a look that was begun before an invalidation does not count. */
  readonly #looking = new Map<string, symbol>();

  constructor(drivers: TargetDrivers, now: () => Millis, onChange: () => void) {
    this.#drivers = drivers;
    this.#now = now;
    this.#onChange = onChange;
  }

  get sights(): Readonly<Record<string, TargetSight>> {
    return Object.fromEntries(
      [...this.#watched].flatMap(([name, { sight }]) => (sight === undefined ? [] : [[name, sight]])),
    );
  }

  /** Begins to look at what was not seen yet, or not lately. */
  refresh(targets: readonly Target[]): void {
    const names = new Set(targets.map(({ name }) => name));
    for (const name of this.#watched.keys()) if (!names.has(name)) this.#watched.delete(name);
    for (const target of targets) {
      if (this.#isDue(target) && !this.#looking.has(target.name)) void this.#look(target);
    }
  }

  /** Nothing that was seen or is being looked at counts any more: the clock has been set. */
  forget(): void {
    this.#watched.clear();
    this.#looking.clear();
  }

  /** What was seen before now, or is being looked at now, is out of date. */
  invalidate(name: string): void {
    const before = this.#watched.get(name);
    if (before !== undefined) this.#watched.set(name, { ...before, sight: undefined });
    this.#looking.delete(name);
  }

  #isDue({ name }: Target): boolean {
    const at = this.#watched.get(name)?.sight?.at;
    return at === undefined || this.#now() - at >= LOOK_AGAIN_MS;
  }

  async #look(target: Target): Promise<void> {
    const { name } = target;
    const turn = Symbol(name);
    this.#looking.set(name, turn);
    const fetched = await this.#fetch(target, this.#watched.get(name));
    const at = this.#now();
    const driver = this.#drivers[target.type.kind];
    const reading = await driver.read(target, AbortSignal.timeout(READ_DEADLINE_MS));
    if (this.#looking.get(name) !== turn) return;
    this.#looking.delete(name);
    const sight: TargetSight =
      reading.kind === 'git' ? { ...reading, at, tipFault: fetched.fault } : { ...reading, at };
    const before = this.#watched.get(name)?.sight;
    this.#watched.set(name, { ...fetched, sight });
    if (before === undefined || !isSame({ ...before, at }, sight)) this.#onChange();
  }

  async #fetch(target: Target, before: Watched | undefined): Promise<Omit<Watched, 'sight'>> {
    const track = trackOf(target);
    const [fetchedAt, fault] = [before?.fetchedAt ?? null, before?.fault ?? null];
    if (track === undefined || target.suspend) return { fetchedAt: null, fault: null };
    if (fetchedAt !== null && this.#now() - fetchedAt < track.intervalMs) return { fetchedAt, fault };
    const driver = this.#drivers[target.type.kind];
    const found = await driver.refresh(target, AbortSignal.timeout(FETCH_DEADLINE_MS));
    return { fetchedAt: this.#now(), fault: found ?? null };
  }
}
