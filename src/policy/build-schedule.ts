import { type BuildContext, fault } from './build-context.ts';
import { hasVariable } from './host-variables.ts';
import { isTimezone, type Schedule, scheduleFault } from './schedule.ts';

/** Whether schedule and time zone can be used; faults are noted. Variables are judged when they are filled in. */
export function checkTimes(context: BuildContext, times: Schedule): boolean {
  const { schedule, timezone } = times;
  if (hasVariable(schedule) || hasVariable(timezone)) return false;
  if (!isTimezone(timezone)) {
    const message = `there is no time zone "${timezone}"; write an IANA name`;
    fault(context, ['spec', 'timezone'], 'E-SCHEDULE', { message, found: timezone });
    return false;
  }
  const message = scheduleFault(times);
  if (message !== null) fault(context, ['spec', 'schedule'], 'E-SCHEDULE', { message, found: schedule });
  return message === null;
}
