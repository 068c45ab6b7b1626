import type { Window } from '../core/model/window.ts';
import type { Observed, Span } from '../core/observed.ts';
import type { Millis } from '../core/units.ts';
import { cronOf } from './schedule.ts';

type Times = Pick<Window, 'schedule' | 'durationMs' | 'timezone'>;

/** A schedule that begins more often than this within one duration is one long window anyway. */
const MOST_SPANS = 1_000;

/**
 * The spans of a window that may hold `now`, and the next one; ascending, those that touch as one. A span lasts as long as
 * `duration` says in time that passes. A time that the clock skips begins when the clock goes on, one that it shows
 * twice begins once: see `schedule.ts`.
 */
export function spansAround({ schedule, durationMs, timezone }: Times, now: Millis): readonly Span[] {
  const cron = cronOf({ schedule, timezone });
  const spans: Span[] = [];
  let from = cron.nextRun(new Date(now - durationMs - 1));
  for (let runs = 0; from !== null && runs < MOST_SPANS; runs += 1) {
    const begins = from.getTime();
    const last = spans.at(-1);
    if (last !== undefined && begins <= last.to) spans[spans.length - 1] = { from: last.from, to: begins + durationMs };
    else spans.push({ from: begins, to: begins + durationMs });
    if (begins > now) break;
    from = cron.nextRun(from);
  }
  return spans;
}

/** The spans of all windows around now; what was computed is kept for as long as it says something about now. */
export class WindowCalendar {
  readonly #known = new Map<string, { readonly at: Millis; readonly until: Millis; readonly spans: readonly Span[] }>();

  at(windows: Readonly<Record<string, Window>> | undefined, now: Millis): NonNullable<Observed['windows']> {
    return Object.fromEntries(Object.values(windows ?? {}).map((window) => [window.name, this.#spans(window, now)]));
  }

  #spans(window: Window, now: Millis): readonly Span[] {
    const key = JSON.stringify([window.schedule, window.durationMs, window.timezone]);
    const known = this.#known.get(key);
    if (known !== undefined && now >= known.at && now < known.until) return known.spans;
    const spans = spansAround(window, now);
    this.#known.set(key, { at: now, until: spans.at(-1)?.from ?? Number.POSITIVE_INFINITY, spans });
    return spans;
  }
}
