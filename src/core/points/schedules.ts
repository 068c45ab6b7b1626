import type { Desired } from '../model/desired.ts';
import { afterKey, takeKey, verifyKey } from '../model/point-policy.ts';
import type { WantedSchedule } from '../observed.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';

export function schedulesOf({ pointPolicies }: Pick<Desired, 'pointPolicies'>): WantedSchedule[] {
  return Object.values(pointPolicies ?? {}).flatMap(({ name, timezone, take, verify, suspend }) => {
    if (suspend) return [];
    return [
      ...(take.schedule === null ? [] : [{ key: takeKey(name), schedule: take.schedule, timezone }]),
      ...(verify === null ? [] : [{ key: verifyKey(name), schedule: verify.schedule, timezone }]),
    ];
  });
}

/** A schedule that is new, or says something new, begins now: what it would have asked for before is not made up for. */
export function followSchedules(turn: Turn): void {
  const wanted = schedulesOf(turn.desired);
  const keys = new Set([...wanted.map(({ key }) => key), ...afterKeys(turn)]);
  for (const { key, schedule, timezone } of wanted) {
    const words = `${schedule} ${timezone}`;
    if (turn.memory.schedules[key]?.expression !== words) {
      turn.emit({ type: 'schedule.met', schedule: key, expression: words });
    }
  }
  for (const key of Object.keys(turn.memory.schedules)) {
    if (!keys.has(key)) turn.emit({ type: 'schedule.forgotten', schedule: key });
  }
}

/** What is remembered of deployments stands beside the schedules. */
function afterKeys({ desired }: Turn): string[] {
  return Object.values(desired.pointPolicies ?? {})
    .filter(({ take, suspend }) => !suspend && take.after.length > 0)
    .flatMap(({ name }) => Object.keys(desired.targets).map((target) => afterKey(name, target)));
}

/** The last instant of the schedule if it was not served yet: however many were missed, there is one. */
export function dueInstant({ memory, observed }: Turn, key: string): Millis | null {
  const served = memory.schedules[key];
  const last = observed.schedules?.[key]?.last ?? null;
  return served === undefined || last === null || last <= served.at ? null : last;
}

export function serveSchedule(turn: Turn, key: string, dueAt: Millis): void {
  const expression = turn.memory.schedules[key]?.expression ?? '';
  turn.emit({ type: 'schedule.served', schedule: key, expression, dueAt });
}

/** When the next of them is due. */
export function scheduleInstants({ observed }: Pick<Turn, 'observed'>): Millis[] {
  return Object.values(observed.schedules ?? {}).flatMap(({ next }) => next ?? []);
}
