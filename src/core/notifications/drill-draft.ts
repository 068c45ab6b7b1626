import { describeResult } from '../drills/drill-result.ts';
import type { EventSpec } from '../event.ts';
import type { Desired } from '../model/desired.ts';
import type { DrillResult } from '../model/drill.ts';
import type { DrillAbout } from '../model/notification.ts';
import { formatDuration, formatInstant } from '../units.ts';
import type { Draft } from './refusal-drafts.ts';

/** How a drill went is told to those whom it names. */
export function drillDraft({ drill, result }: Extract<EventSpec, { type: 'drill.ended' }>, desired: Desired): Draft {
  const isGood = result.outcome === 'successful' || result.outcome === 'aborted';
  return {
    id: `drill/${result.id}`,
    topic: 'drill',
    severity: isGood ? 'info' : 'warning',
    title: `drill ${drill} ${result.outcome}`,
    text: describeResult(result),
    policy: result.policy,
    facts: { drill, mode: result.mode, outcome: result.outcome },
    drill: aboutDrill(drill, result),
    audience: desired.drills?.[drill]?.notify ?? [],
  };
}

function aboutDrill(name: string, result: DrillResult): DrillAbout {
  const { policy, mode, outcome, reason, startedAt, durationMs, rtoMs, beforeMs, rungs } = result;
  return {
    name,
    policy,
    mode,
    outcome,
    reason,
    startedAt: formatInstant(startedAt),
    duration: formatDuration(durationMs),
    rto: rtoMs === null ? '' : formatDuration(rtoMs),
    before: beforeMs === null ? '' : formatDuration(beforeMs),
    rungs: rungs.map((one) => ({ rung: one.rung, outcome: one.outcome, duration: formatDuration(one.durationMs) })),
  };
}
