import type { Drill } from '../core/model/drill.ts';
import type { DueTimes, Observed } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { cronOf, type Schedule } from './schedule.ts';

/**
 * The newest instant of the schedule up to now, and the next one. An instant that the clock skips comes when the clock
 * goes on; one that it shows twice comes once, unless the schedule names every hour.
 */
export function dueTimes(schedule: Schedule, now: Millis): DueTimes {
  const cron = cronOf(schedule);
  const last = cron.previousRuns(1, new Date(now + 1))[0]?.getTime() ?? null;
  return { last, next: cron.nextRun(new Date(now))?.getTime() ?? null };
}

/** The instants of all drills around now; what was computed is kept until the next of them comes. */
export class DrillCalendar {
  readonly #known = new Map<string, DueTimes & { readonly at: Millis }>();

  at(drills: Readonly<Record<string, Drill>> | undefined, now: Millis): NonNullable<Observed['drills']> {
    return Object.fromEntries(
      Object.values(drills ?? {}).flatMap(({ name, schedule, timezone }) =>
        schedule === null ? [] : [[name, this.#times({ schedule, timezone }, now)]],
      ),
    );
  }

  #times(schedule: Schedule, now: Millis): DueTimes {
    const key = JSON.stringify([schedule.schedule, schedule.timezone]);
    const known = this.#known.get(key);
    if (known !== undefined && now >= known.at && now < (known.next ?? Number.POSITIVE_INFINITY)) {
      return { last: known.last, next: known.next };
    }
    const times = dueTimes(schedule, now);
    this.#known.set(key, { ...times, at: now });
    return times;
  }
}
