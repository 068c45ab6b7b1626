import { overdueInstants } from '../drills/drill-conditions.ts';
import { drillInstants } from '../drills/settle-drills.ts';
import { intactChecks, intactDeadline } from '../incidents/intact.ts';
import { COUNT_PATIENCE_MS } from '../incidents/loss.ts';
import { deadlineOf } from '../incidents/verify.ts';
import { judgeWhen } from '../incidents/when.ts';
import type { Rung } from '../model/policy.ts';
import { bakeOf } from '../model/target.ts';
import { sendingInstants } from '../notifications/notify.ts';
import { tellingInstants } from '../notifications/tell-by-time.ts';
import { pointInstants } from '../points/point-actions.ts';
import { pruneInstants } from '../points/prune-points.ts';
import { revisionInstants } from '../points/revision-points.ts';
import { scheduleInstants } from '../points/schedules.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';

/** The next instant at which time alone changes the decision; null if there is none. */
export function nextWakeUp(turn: Turn): Millis | null {
  const instants = [
    ...incidentInstants(turn),
    ...Object.values(turn.memory.holds).flatMap((hold) =>
      hold.kind === 'override' && hold.expiresAt !== null ? [hold.expiresAt] : [],
    ),
    ...Object.values(turn.memory.documents).flatMap(({ failing, owed }) =>
      [failing?.retryAt, owed?.retry?.retryAt].filter((at) => at !== undefined),
    ),
    ...targetInstants(turn),
    ...tellingInstants(turn),
    ...sendingInstants(turn),
    ...Object.values(turn.memory.reportsOwed).map((retry) => retry.retryAt),
    ...Object.values(turn.memory.brakes).map((brake) => brake.until),
    ...Object.values(turn.memory.places).flatMap(({ drift, repairs }) =>
      drift === null ? [] : (repairs?.retryAt ?? []),
    ),
    ...windowInstants(turn),
    ...drillInstants(turn),
    ...overdueInstants(turn),
    ...pointInstants(turn),
    ...pruneInstants(turn),
    ...scheduleInstants(turn),
    ...revisionInstants(turn),
  ].filter((at) => at > turn.now);
  return instants.length === 0 ? null : Math.min(...instants);
}

function incidentInstants(turn: Turn): Millis[] {
  return Object.values(turn.memory.incidents).flatMap(({ phase, policy, joined }) => {
    switch (phase.kind) {
      case 'fixing-forward':
        return [phase.deadlineAt];
      case 'entering':
        return whenInstants(turn, policy.ladder[phase.rung]?.when, phase.since);
      case 'awaiting-approval':
        return [phase.deadlineAt, phase.since + COUNT_PATIENCE_MS];
      case 'executing': {
        const step = policy.ladder[phase.rung]?.[phase.part][phase.step];
        if (step === undefined) return [];
        if (phase.startedAt === null) return whenInstants(turn, step.when, phase.since);
        const { checkingSince } = phase;
        if (step.kind !== 'restore' || checkingSince === undefined) return [phase.startedAt + step.timeoutMs];
        return [intactDeadline(intactChecks(turn, step), step, phase, checkingSince)];
      }
      case 'verifying': {
        const rung = policy.ladder[phase.rung];
        if (rung === undefined) return [];
        const { forMs } = rung.verify;
        const deadlines = [null, ...joined.map(({ at }) => at)].map((at) => deadlineOf(rung, phase, at));
        return [phase.settleAt, ...deadlines, ...(phase.goodSince === null ? [] : [phase.goodSince + forMs])];
      }
      case 'asking':
      case 'closed':
        return [];
    }
  });
}

function targetInstants(turn: Turn): Millis[] {
  return Object.entries(turn.memory.targets).flatMap(([name, { current, owed, failing, keepRetry }]) => {
    const bakeMs = bakeOf(turn.desired.targets[name]);
    const calmSince = current === null || current.isGood ? null : current.calmSince;
    const retries = [failing?.retryAt, owed?.retry?.retryAt, keepRetry?.retryAt].filter((at) => at !== undefined);
    return calmSince === null ? retries : [calmSince + bakeMs, ...retries];
  });
}

function whenInstants(turn: Turn, when: Rung['when'], since: Millis): Millis[] {
  const verdict = judgeWhen(when, turn.observed.checks, { since, now: turn.now });
  return verdict.kind === 'wait' ? [verdict.until] : [];
}

/** Where a window begins or ends, what it keeps or lets go may change. */
function windowInstants(turn: Turn): Millis[] {
  return Object.values(turn.observed.windows ?? {}).flatMap((spans) => spans.flatMap(({ from, to }) => [from, to]));
}
