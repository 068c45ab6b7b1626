import type { Observed, ScheduleSight } from '../core/observed.ts';
import type { WantedSchedule } from '../core/points/schedules.ts';
import type { Millis } from '../core/units.ts';
import { cronOf } from './schedule.ts';

type Schedule = Pick<WantedSchedule, 'expression' | 'timezone'>;

/** Cron knows no parts of a second. */
const SECOND_MS: Millis = 1_000;

/**
 * The last instant of a schedule that is not after `now`, and the next one. A time that the clock skips comes when the
 * clock goes on, one that it shows twice comes once: see `cronOf`.
 */
export function instantsAround({ expression, timezone }: Schedule, now: Millis): ScheduleSight {
  const cron = cronOf({ schedule: expression, timezone });
  // croner looks for what is before an instant, and the present one counts.
  const [last] = cron.previousRuns(2, new Date(now + SECOND_MS)).filter((run) => run.getTime() <= now);
  const next = cron.nextRun(new Date(now));
  return { last: last?.getTime() ?? null, next: next?.getTime() ?? null };
}

/** The instants of all schedules around now; what was computed is kept until the next one comes. */
export class ScheduleCalendar {
  readonly #known = new Map<string, { readonly at: Millis; readonly sight: ScheduleSight }>();

  at(wanted: readonly WantedSchedule[], now: Millis): NonNullable<Observed['schedules']> {
    return Object.fromEntries(wanted.map((schedule) => [schedule.key, this.#instants(schedule, now)]));
  }

  #instants({ expression, timezone }: WantedSchedule, now: Millis): ScheduleSight {
    const key = JSON.stringify([expression, timezone]);
    const known = this.#known.get(key);
    if (known !== undefined && now >= known.at && (known.sight.next === null || now < known.sight.next)) {
      return known.sight;
    }
    const sight = instantsAround({ expression, timezone }, now);
    this.#known.set(key, { at: now, sight });
    return sight;
  }
}
