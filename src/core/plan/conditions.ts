import { drillConditions } from '../drills/drill-conditions.ts';
import { describeRequest } from '../incidents/await-approval.ts';
import { workingOn } from '../incidents/open-incidents.ts';
import type { FixingForwardPhase, Incident } from '../model/incident.ts';
import { type RollbackPolicy, triggerKeys } from '../model/policy.ts';
import type { Trigger } from '../model/trigger.ts';
import { repairAt } from '../places/drift-fight.ts';
import { wantedPlaces } from '../places/flag-places.ts';
import { pointConditions } from '../points/point-conditions.ts';
import { targetConditions } from '../targets/target-conditions.ts';
import { stateOfTrigger, type TriggerView, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, formatInstant } from '../units.ts';
import type { Condition } from './plan.ts';

/** What people should know of the present state, the most urgent first. */
export function conditionsOf(turn: Turn): Condition[] {
  return [
    ...haltCondition(turn),
    ...incidentConditions(turn),
    ...brakeConditions(turn),
    ...windowConditions(turn),
    ...documentConditions(turn),
    ...driftConditions(turn),
    ...targetConditions(turn),
    ...drillConditions(turn),
    ...pointConditions(turn),
    ...triggerConditions(turn),
    ...adoptionConditions(turn),
    ...suspendedConditions(turn),
    ...notificationConditions(turn),
  ];
}

function haltCondition(turn: Turn): Condition[] {
  const { halt } = turn.memory;
  if (halt === null) return [];
  const message = `all automatic action is stopped since ${formatInstant(halt.since)} by ${halt.by}: ${halt.reason}; \`revertd resume\` allows it again`;
  return [{ type: 'Halted', object: 'Host', message, needsAttention: true }];
}

function incidentConditions(turn: Turn): Condition[] {
  return Object.values(turn.memory.incidents).flatMap((incident): Condition[] => {
    const object = `Incident/${incident.id}`;
    const { phase } = incident;
    switch (phase.kind) {
      case 'asking': {
        const message = `${phase.reason}. Answer with \`revertd incidents answer ${incident.id} next|retry|done\``;
        return [{ type: 'Asking', object, message, needsAttention: true }];
      }
      case 'awaiting-approval': {
        const message = `${describeRequest(incident, phase).join('; ')}. Agree with \`revertd incidents approve ${incident.id}\``;
        return [{ type: 'AwaitingApproval', object, message, needsAttention: true }];
      }
      case 'fixing-forward':
        return [{ type: 'FixingForward', object, message: mendingText(turn, incident, phase), needsAttention: true }];
      case 'entering':
      case 'executing':
      case 'verifying':
      case 'closed':
        return [];
    }
  });
}

function mendingText(turn: Turn, incident: Incident, { deadlineAt }: FixingForwardPhase): string {
  const at = `\`revertd incidents answer ${incident.id} next\` rolls back at once, \`… done\` ends it`;
  const left = deadlineAt - turn.now;
  if (left > 0) return `people have ${formatDuration(left)} to mend it before it is rolled back; ${at}`;
  const other = workingOn(turn.memory.incidents, incident.conflictSet);
  const brake = turn.memory.brakes[incident.policy.name];
  const why =
    other === undefined ? (brake?.reason ?? 'whether it is over is not known') : `${other.id} works on the same things`;
  return `the time for mending it is up, and it is not rolled back: ${why}; ${at}`;
}

function windowConditions(turn: Turn): Condition[] {
  return Object.entries(turn.memory.windowed).map(([flag, { window, variant }]) => ({
    type: 'Windowed',
    object: `Flag/${flag}`,
    message: `it becomes ${variant} only when Window/${window} allows it; \`revertd flags set ${flag} ${variant} --reason …\` does so now`,
    needsAttention: false,
  }));
}

function brakeConditions(turn: Turn): Condition[] {
  return Object.entries(turn.memory.brakes).flatMap(([policy, brake]) =>
    brake.quiet === true
      ? []
      : [
          {
            type: 'Braked' as const,
            object: `RollbackPolicy/${policy}`,
            message: `it fires, but may not act: ${brake.reason}`,
            needsAttention: true,
          },
        ],
  );
}

function documentConditions(turn: Turn): Condition[] {
  const conditions: Condition[] = [];
  for (const [key, sight] of Object.entries(turn.observed.documents)) {
    if (sight.kind === 'unreadable') {
      conditions.push({ type: 'DocumentUnreadable', object: key, message: sight.message, needsAttention: true });
    }
  }
  for (const [key, { failing, owed }] of Object.entries(turn.memory.documents)) {
    if (failing !== null) {
      const message = `writing failed ${failing.attempts} time(s): ${failing.message}`;
      conditions.push({ type: 'DeliveryFailing', object: key, message, needsAttention: true });
    }
    if (owed !== null) {
      const why = owed.retry === null ? '' : `, failed ${owed.retry.attempts} time(s): ${owed.retry.message}`;
      const message = `what was written is not effective yet: ${owed.steps.length - owed.done} step(s) to go${why}`;
      conditions.push({ type: 'TakeUpOwed', object: key, message, needsAttention: owed.retry !== null });
    }
  }
  return conditions;
}

function driftConditions(turn: Turn): Condition[] {
  return wantedPlaces(turn.desired, turn.memory).flatMap((place) => {
    const memory = turn.memory.places[place.key];
    const drift = memory?.drift ?? null;
    if (memory === undefined || drift === null) return [];
    const waitsUntil = repairAt(memory, place);
    const isFight = waitsUntil > turn.now;
    const fight = isFight
      ? ` for the ${memory.repairs?.attempts}th time; it is set back at ${formatInstant(waitsUntil)}`
      : '';
    return [
      {
        type: 'Drift' as const,
        object: `Flag/${place.flag.name}`,
        message: `somebody set ${place.key} to ${drift === '' ? 'nothing' : drift}${fight}`,
        needsAttention: isFight || place.flag.drift === 'report',
        origin: place.place.origin,
      },
    ];
  });
}

function triggerConditions(turn: Turn): Condition[] {
  return Object.values(turn.desired.policies).flatMap((policy) => {
    const keys = triggerKeys(policy);
    return policy.triggers.flatMap((trigger, index) => {
      const key = keys[index] ?? '';
      const state = stateOfTrigger(turn.memory, key, trigger, turn.now);
      if (state !== 'firing' && state !== 'unknown') return NOTHING;
      const view = viewTrigger(turn.memory, key, trigger, turn.now);
      if (state === 'firing') return silentConditions(policy, trigger, view);
      const condition: Condition = {
        type: 'TriggerUnknown',
        object: `RollbackPolicy/${policy.name}`,
        message: `trigger ${trigger.name} is unknown: ${whyUnknown(view)}`,
        needsAttention: false,
        origin: trigger.origin,
      };
      return [condition];
    });
  });
}

const NOTHING: readonly Condition[] = [];

/** It goes on firing, for nobody can say that it is over; but nothing is begun on what was seen before. */
function silentConditions(policy: RollbackPolicy, trigger: Trigger, view: TriggerView): readonly Condition[] {
  const verdict = view.memory?.verdict;
  const isSilent = verdict === 'failed' || (trigger.noData !== 'fire' && (verdict === 'noData' || verdict === 'nan'));
  if (!isSilent) return NOTHING;
  const message = `trigger ${trigger.name} fired, and since then ${whyUnknown(view)}: no rollback is begun on that`;
  const object = `RollbackPolicy/${policy.name}`;
  return [{ type: 'TriggerUnknown', object, message, needsAttention: true, origin: trigger.origin }];
}

function whyUnknown(view: TriggerView): string {
  if (view.memory === undefined) return 'it was not evaluated yet';
  if (!view.fresh) return `its last evaluation was at ${formatInstant(view.memory.at)}`;
  switch (view.memory.verdict) {
    case 'failed':
      return `its query failed: ${view.memory.message ?? ''}`;
    case 'nan':
      return 'its query gives NaN';
    default:
      return 'its query gives no data';
  }
}

function adoptionConditions(turn: Turn): Condition[] {
  return Object.values(turn.memory.holds).flatMap((hold) => {
    if (hold.kind !== 'adoption' && hold.kind !== 'targetAdoption') return [];
    const message = `${hold.cause}; \`revertd adopt ${hold.object}\` lets git's value in`;
    return [{ type: 'Held' as const, object: hold.object, message, needsAttention: true }];
  });
}

function suspendedConditions(turn: Turn): Condition[] {
  return [
    ...Object.values(turn.desired.policies).map((policy) => ['RollbackPolicy', policy] as const),
    ...Object.values(turn.desired.flags).map((flag) => ['Flag', flag] as const),
    ...Object.values(turn.desired.targets).map((target) => ['Target', target] as const),
    ...Object.values(turn.desired.drills ?? {}).map((drill) => ['Drill', drill] as const),
    ...Object.values(turn.desired.pointPolicies ?? {}).map((policy) => ['PointPolicy', policy] as const),
  ].flatMap(([kind, object]) =>
    object.suspend
      ? [
          {
            type: 'Suspended' as const,
            object: `${kind}/${object.name}`,
            message: 'git suspends it: it is kept, and nothing is done',
            needsAttention: false,
            origin: object.origin,
          },
        ]
      : [],
  );
}

function notificationConditions(turn: Turn): Condition[] {
  const failing = Object.values(turn.memory.outbox).filter((entry) => entry.attempts > 0);
  return [...new Set(failing.map((entry) => entry.notifier))].map((notifier) => ({
    type: 'NotificationFailing',
    object: `Notifier/${notifier}`,
    message: `${failing.filter((entry) => entry.notifier === notifier).length} message(s) could not be delivered yet`,
    needsAttention: true,
  }));
}
