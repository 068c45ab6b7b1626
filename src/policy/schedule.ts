import { Cron } from 'croner';

export type Schedule = {
  /** Five fields of cron, by the calendar of the time zone. */
  readonly schedule: string;
  /** An IANA name. */
  readonly timezone: string;
};

/**
 * croner answers questions about time here and runs nothing: the pattern has no function. A time that the clock skips
 * comes when the clock goes on, a fixed one that it shows twice comes once.
 */
export function cronOf({ schedule, timezone }: Schedule): Cron {
  return new Cron(schedule, { timezone, paused: true, mode: '5-part' });
}

/** What is wrong with the schedule; null if nothing. */
export function scheduleFault(schedule: Schedule): string | null {
  try {
    cronOf(schedule);
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return `the schedule "${schedule.schedule}" has not five fields of cron: ${why}`;
  }
}

export function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}
