import { latchBlockers } from '../holds/release-holds.ts';
import { describeRoles } from '../incidents/approval-slots.ts';
import { describeRequest } from '../incidents/await-approval.ts';
import { brakeOf } from '../incidents/brakes.ts';
import { conflictSet } from '../incidents/conflict-set.ts';
import { criticalTriggers } from '../incidents/verdict.ts';
import type { Hold } from '../model/hold.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import { describeLoss } from '../model/measure.ts';
import { type RollbackPolicy, type Rung, triggerKeys } from '../model/policy.ts';
import { describeStep } from '../model/step.ts';
import type { Trigger } from '../model/trigger.ts';
import { tellingOutlook } from '../notifications/tell-by-time.ts';
import { differing } from '../places/deliveries.ts';
import { pointOutlook } from '../points/point-outlook.ts';
import { leadingElement, shownThreshold, stateOfTrigger, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { formatDuration } from '../units.ts';
import type { Outlook } from './plan.ts';

/** What would follow from here: pending triggers, the ladders under way, what waits while halted, and holds. */
export function outlookOf(turn: Turn): Outlook[] {
  return [
    ...Object.values(turn.desired.policies).flatMap((policy) => pendingOutlook(turn, policy)),
    ...Object.values(turn.memory.incidents).flatMap((incident) => incidentOutlook(turn, incident)),
    ...tellingOutlook(turn),
    ...pointOutlook(turn),
    ...haltedOutlook(turn),
    ...Object.values(turn.memory.holds).map((hold) => holdOutlook(turn, hold)),
  ];
}

const NOTHING: readonly Outlook[] = [];

function pendingOutlook(turn: Turn, policy: RollbackPolicy): Outlook[] {
  if (policy.suspend) return [];
  const keys = triggerKeys(policy);
  return policy.triggers.flatMap((trigger, index) => {
    const key = keys[index] ?? '';
    if (stateOfTrigger(turn.memory, key, trigger, turn.now) !== 'pending') return NOTHING;
    const view = viewTrigger(turn.memory, key, trigger, turn.now);
    const element = view.memory !== undefined ? leadingElement(view.memory) : undefined;
    if (element === undefined) return NOTHING;
    const left = Math.max(0, trigger.forMs - element.accumulatedMs);
    return [
      {
        object: `RollbackPolicy/${policy.name}`,
        afterMs: left,
        on: `${key} = ${element.value ?? 'no value'} stays ${shownThreshold(trigger, view.memory)} for ${formatDuration(left)} more`,
        what: `${key} fires`,
        next: consequences(turn, policy, trigger),
        origin: trigger.origin,
      },
    ];
  });
}

function consequences(turn: Turn, policy: RollbackPolicy, trigger: Trigger): string[] {
  if (trigger.severity === 'warning' && trigger.decision === undefined) {
    return ['it is reported; nothing is rolled back'];
  }
  const brake = brakeOf(policy, conflictSet(policy), turn.memory, turn.now);
  if (brake !== null) return [`no rollback: ${brake.reason}`];
  const mending =
    trigger.decision === undefined
      ? []
      : [`people have ${formatDuration(trigger.decision.fixForwardMs)} to mend it; then:`];
  const critical = criticalTriggers(policy).length;
  if (policy.match.kind === 'all' && trigger.severity === 'critical' && critical > 1)
    return [`with all ${critical} triggers firing: the ladder below`, ...ladderText(policy, 0)];
  const start = Math.max(
    0,
    policy.ladder.findIndex((rung) => rung.name === trigger.startAt),
  );
  return [...mending, ...ladderText(policy, start)];
}

function ladderText(policy: RollbackPolicy, from: number): string[] {
  return policy.ladder.slice(from).map((rung, index) => {
    const prefix = index === 0 ? '' : 'if that does not help: ';
    const asked = rung.approval === undefined ? '' : ` (needs ${describeRoles(rung.approval.roles)})`;
    const lost = rung.dataLoss === undefined ? '' : ` (would lose: ${describeLoss(rung.dataLoss)})`;
    return `${prefix}rung "${rung.name}"${asked}${lost}: ${rung.do.map(describeStep).join(', ')}`;
  });
}

function incidentOutlook(turn: Turn, incident: Incident): Outlook[] {
  const { phase } = incident;
  if (!isOpen(incident) || phase.kind === 'closed') return [];
  const object = `Incident/${incident.id}`;
  const rung = incident.policy.ladder[phase.rung];
  if (rung === undefined) return [];
  const further = ladderText(incident.policy, phase.rung + 1);
  const otherwise = further.length === 0 ? ['otherwise the ladder is exhausted and people are told'] : further;
  switch (phase.kind) {
    case 'fixing-forward':
      return [
        {
          object,
          afterMs: Math.max(0, phase.deadlineAt - turn.now),
          on: 'it is not mended by then',
          what: `the ladder begins with rung "${rung.name}"`,
          next: ladderText(incident.policy, phase.rung),
          origin: rung.origin,
        },
      ];
    case 'entering':
      return [{ object, what: `rung "${rung.name}" begins`, next: otherwise, origin: rung.origin }];
    case 'awaiting-approval':
      return [
        {
          object,
          afterMs: Math.max(0, phase.deadlineAt - turn.now),
          on: 'nobody has approved it by then',
          what:
            rung.approval?.onTimeout === 'abort'
              ? 'the incident is aborted'
              : 'everybody is told and a person is asked',
          next: describeRequest(incident, phase),
          origin: rung.origin,
        },
      ];
    case 'executing':
      return [
        {
          object,
          on: 'the step under way is done',
          what: remainingSteps(rung, phase.part, phase.step),
          next: otherwise,
          origin: rung.origin,
        },
      ];
    case 'verifying':
      return [
        {
          object,
          afterMs: Math.max(0, phase.deadlineAt - turn.now),
          on: `rung "${rung.name}" is not verified by then`,
          what: 'the rung has failed',
          next: otherwise,
          origin: rung.origin,
        },
      ];
    case 'asking':
      return [{ object, on: 'a person answers', what: phase.reason, next: otherwise, origin: rung.origin }];
  }
}

function remainingSteps(rung: Rung, part: 'do' | 'onFailure', step: number): string {
  const rest = rung[part].slice(step + 1).map(describeStep);
  const verify = part === 'do' ? [`verification within ${formatDuration(rung.verify.withinMs)}`] : [];
  return [...rest, ...verify].join(', then ') || `rung "${rung.name}" ends`;
}

/** What would be written if it were allowed. */
function haltedOutlook(turn: Turn): Outlook[] {
  if (turn.memory.halt === null) return [];
  return [...differing(turn)].map(([document, places]) => ({
    object: document,
    on: 'revertd resume',
    what: places
      .map(
        ({ change }) => `${change.entry}: ${JSON.stringify(change.before ?? null)} → ${JSON.stringify(change.after)}`,
      )
      .join(', '),
    next: [],
  }));
}

function holdOutlook(turn: Turn, hold: Hold): Outlook {
  const base = { object: hold.object, what: `${hold.kind} ${hold.id} is lifted`, next: [] };
  switch (hold.kind) {
    case 'latch':
      return { ...base, on: latchBlockers(turn, hold).join(', and '), origin: hold.origin };
    case 'override':
      return hold.expiresAt === null
        ? { ...base, on: `revertd holds lift ${hold.id}` }
        : { ...base, afterMs: Math.max(0, hold.expiresAt - turn.now) };
    case 'adoption':
    case 'targetAdoption':
      return { ...base, on: `revertd adopt ${hold.object}` };
    case 'quarantine':
      return { ...base, on: `revertd holds lift ${hold.id}`, origin: hold.origin };
  }
}
