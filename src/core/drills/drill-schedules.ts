import type { Desired } from '../model/desired.ts';
import type { WantedSchedule } from '../observed.ts';

/** By name, the drills that do not wait for a person. */
export function drillSchedules(drills: Desired['drills']): WantedSchedule[] {
  return Object.values(drills ?? {}).flatMap(({ name, schedule, timezone }) =>
    schedule === null ? [] : [{ key: name, schedule, timezone }],
  );
}
