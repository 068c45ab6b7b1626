import type { DueTimes, WantedSchedule } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { cronOf, type Schedule } from './schedule.ts';

/** Cron knows no parts of a second. */
const SECOND_MS: Millis = 1_000;

/**
 * The newest instant of the schedule that is not after `now`, and the next one. An instant that the clock skips comes when
 * the clock goes on; one that it shows twice comes once, unless the schedule names every hour: see `cronOf`.
 */
export function dueTimes(schedule: Schedule, now: Millis): DueTimes {
  const cron = cronOf(schedule);
  // croner looks for what is before an instant, and the present one counts.
  const [last] = cron.previousRuns(2, new Date(now + SECOND_MS)).filter((run) => run.getTime() <= now);
  const next = cron.nextRun(new Date(now));
  return { last: last?.getTime() ?? null, next: next?.getTime() ?? null };
}

/** The instants of schedules around now; what was computed is kept until the next one comes. */
export class DueCalendar {
  readonly #known = new Map<string, { readonly at: Millis; readonly times: DueTimes }>();

  at(wanted: readonly WantedSchedule[], now: Millis): Readonly<Record<string, DueTimes>> {
    return Object.fromEntries(wanted.map((schedule) => [schedule.key, this.#times(schedule, now)]));
  }

  #times({ schedule, timezone }: Schedule, now: Millis): DueTimes {
    const key = JSON.stringify([schedule, timezone]);
    const known = this.#known.get(key);
    if (known !== undefined && now >= known.at && (known.times.next === null || now < known.times.next)) {
      return known.times;
    }
    const times = dueTimes({ schedule, timezone }, now);
    this.#known.set(key, { at: now, times });
    return times;
  }
}
