import type { Millis } from '../units.ts';

/** The fields that a clock on the wall shows. `month` is 1 to 12. */
export type LocalTime = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
};

/** A time zone of the IANA database; what it shows is looked up once a day, for zones change on few days. */
export type TimeZone = {
  readonly name: string;
  /** Of an instant: how far the wall clock is ahead of UTC, in ms. */
  readonly offsetAt: (at: Millis) => Millis;
};

const DAY_MS: Millis = 86_400_000;

/** @throws {RangeError} if there is no such zone. */
export function timeZone(name: string): TimeZone {
  const offset = offsetReader(name);
  const days = new Map<number, readonly [Millis, Millis]>();
  const offsetAt = (at: Millis): Millis => {
    const day = Math.floor(at / DAY_MS);
    let known = days.get(day);
    if (known === undefined) {
      known = [offset(day * DAY_MS), offset((day + 1) * DAY_MS)];
      days.set(day, known);
    }
    return known[0] === known[1] ? known[0] : offset(at);
  };
  return { name, offsetAt };
}

function offsetReader(name: string): (at: Millis) => Millis {
  if (name === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (at) => {
    const fields = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const field = (type: Intl.DateTimeFormatPartTypes): number => Number(fields.get(type));
    const year = fields.get('era') === 'BC' ? 1 - field('year') : field('year');
    const wall = utc(year, field('month'), field('day')) + (field('hour') * 60 + field('minute')) * 60_000;
    return wall + field('second') * 1_000 - Math.floor(at / 1_000) * 1_000;
  };
}

/** `Date.UTC` takes years under 100 for those of the twentieth century. */
function utc(year: number, month: number, day: number): Millis {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

export function localTime(zone: TimeZone, at: Millis): LocalTime {
  const wall = new Date(at + zone.offsetAt(at));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
  };
}

/** ISO 8601: the week belongs to the year that its Thursday is in. */
export function isoWeek({ year, month, day }: LocalTime): { readonly year: number; readonly week: number } {
  const date = utc(year, month, day);
  const weekday = (new Date(date).getUTCDay() + 6) % 7;
  const thursday = date + (3 - weekday) * DAY_MS;
  const ofYear = new Date(thursday).getUTCFullYear();
  return { year: ofYear, week: 1 + Math.floor((thursday - utc(ofYear, 1, 1)) / (7 * DAY_MS)) };
}

/** A span in the calendar: a day is not always 24 hours long. */
export type CalendarSpan = {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  /** Exact, after the calendar's part. */
  readonly ms: Millis;
};

/**
 * The instant that lies so far before another one. A date that there is not is counted on: a month before 31 October is
 * 1 October. A wall time that a zone leaves out or has twice is taken as Go's `time.Date` takes it, which restic uses.
 */
export function before(zone: TimeZone, at: Millis, { years, months, days, ms }: CalendarSpan): Millis {
  const wall = new Date(at + zone.offsetAt(at));
  wall.setUTCFullYear(wall.getUTCFullYear() - years, wall.getUTCMonth() - months, wall.getUTCDate() - days);
  return fromWall(zone, wall.getTime()) - ms;
}

/** The wall time is first looked up as if it were UTC; the offset found is right unless it does not hold there. */
function fromWall(zone: TimeZone, wall: Millis): Millis {
  const guess = zone.offsetAt(wall);
  const at = wall - guess;
  return zone.offsetAt(at) === guess ? at : wall - zone.offsetAt(at);
}
