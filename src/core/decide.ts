import { settleDrills } from './drills/settle-drills.ts';
import { forgetIncidents, releaseHolds } from './holds/release-holds.ts';
import { advanceIncidents } from './incidents/advance-incidents.ts';
import { openIncidents } from './incidents/open-incidents.ts';
import { noticePauses } from './incidents/pause.ts';
import type { Memory } from './memory.ts';
import type { Desired } from './model/desired.ts';
import { type Operation, plannedOperation } from './model/operation.ts';
import { queueNotifications } from './notifications/notify.ts';
import { tellByTime } from './notifications/tell-by-time.ts';
import type { Observed } from './observed.ts';
import { settleDocuments } from './places/settle-documents.ts';
import { settlePlaces } from './places/settle-places.ts';
import { dueActions, withheldActions } from './plan/actions.ts';
import { isComplete } from './plan/completeness.ts';
import { conditionsOf } from './plan/conditions.ts';
import { outlookOf } from './plan/outlook.ts';
import type { Plan } from './plan/plan.ts';
import { nextWakeUp } from './plan/wake-up.ts';
import { settlePoints } from './points/settle-points.ts';
import { settleTargets } from './targets/settle-targets.ts';
import { advanceTriggers, forgetTriggers } from './triggers/advance-triggers.ts';
import { beginTurn, type Turn } from './turn.ts';
import type { Millis } from './units.ts';
import { settleWindows } from './windows/settle-windows.ts';

/** What one step changes may concern a step before it: an incident that ends brakes its policy. Few passes see to all. */
const PASSES = 8;

/**
 * What is to be done, given what is desired, seen and remembered. Total and deterministic: it never throws on valid
 * data, equal inputs give equal plans, and deciding again on the plan's own memory gives no further action.
 * `now` is in ms since the epoch; the order of `readings` does not matter.
 */
export function decide(desired: Desired, observed: Observed, memory: Memory, now: Millis): Plan {
  const turn = beginTurn(desired, observed, memory, now);
  noticeHalt(turn);
  advanceTriggers(turn);
  for (let pass = 0; pass < PASSES; pass += 1) {
    const before = turn.events.length;
    settleTurn(turn);
    if (turn.events.length === before) break;
  }
  tellByTime(turn);
  queueNotifications(turn);
  forgetIncidents(turn);
  const operations = planOperations(turn);
  return {
    revision: desired.revision,
    at: now,
    actions: operations.map((operation) => operation.action),
    withheld: withheldActions(turn),
    operations,
    events: turn.events,
    outlook: outlookOf(turn),
    conditions: conditionsOf(turn),
    memory: turn.memory,
    requeueAt: nextWakeUp(turn),
    complete: isComplete(turn),
  };
}

function settleTurn(turn: Turn): void {
  forgetTriggers(turn);
  settlePlaces(turn);
  settleDocuments(turn);
  settleTargets(turn);
  noticePauses(turn);
  openIncidents(turn);
  settleDrills(turn);
  if (turn.memory.halt !== null) return;
  advanceIncidents(turn);
  releaseHolds(turn);
  settleWindows(turn);
  settlePoints(turn);
}

function noticeHalt(turn: Turn): void {
  const { halt } = turn.observed;
  const before = turn.memory.halt;
  if (halt !== null && before === null) turn.emit({ type: 'halt.began', halt });
  if (halt === null && before !== null) {
    turn.emit({ type: 'halt.ended', lastedMs: Math.max(0, turn.now - before.noticedAt) });
  }
}

function planOperations(turn: Turn): Operation[] {
  return dueActions(turn).map((action) => {
    const { nextOperation, repeats } = turn.memory;
    const operation = plannedOperation(action, { number: nextOperation, at: turn.now, repeats: repeats?.[action.key] });
    turn.emit({ type: 'operation.planned', operation });
    return operation;
  });
}
