import type { Drill } from '../core/model/drill.ts';
import { type BuildContext, durationAt, fault, valueOrigin } from './build-context.ts';
import { namedNotifiers } from './build-parts.ts';
import { checkTimes } from './build-schedule.ts';
import { dueTimes } from './due-times.ts';
import type { RawDocument, RawDrill } from './raw-documents.ts';
import type { Schedule } from './schedule.ts';

const SHORTEST_RTO = { ms: 1_000, text: '1s' } as const;

export function buildDrill(context: BuildContext, { spec, metadata }: RawDocument<RawDrill>): Drill {
  const { schedule = null, timezone = 'UTC', rungs = null } = spec;
  context.references.push({
    kind: 'RollbackPolicy',
    name: spec.policy,
    origin: valueOrigin(context, ['spec', 'policy']),
    rungs: (rungs ?? []).map((name, index) => ({ name, origin: valueOrigin(context, ['spec', 'rungs', index]) })),
  });
  if (schedule !== null) checkSchedule(context, { schedule, timezone });
  return {
    name: metadata.name,
    origin: valueOrigin(context, []),
    suspend: spec.suspend ?? false,
    schedule,
    timezone,
    policy: spec.policy,
    rungs,
    mode: spec.mode,
    ...(spec.rto === undefined ? {} : { rtoMs: durationAt(context, ['spec', 'rto'], spec.rto, 0, SHORTEST_RTO) }),
    notify: namedNotifiers(context, ['spec', 'notify'], spec.notify ?? []),
  };
}

function checkSchedule(context: BuildContext, times: Schedule): void {
  if (checkTimes(context, times) && dueTimes(times, 0).next === null) {
    const message = `the schedule "${times.schedule}" never comes`;
    fault(context, ['spec', 'schedule'], 'E-SCHEDULE', { message, found: times.schedule });
  }
}
