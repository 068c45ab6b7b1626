import { describeRoles } from '../core/incidents/approval-slots.ts';
import { conflictSet } from '../core/incidents/conflict-set.ts';
import { estimateOf } from '../core/incidents/duration-key.ts';
import { criticalTriggers } from '../core/incidents/verdict.ts';
import { isOpen } from '../core/model/incident.ts';
import { formatOrigin } from '../core/model/origin.ts';
import { isValid, snapshotOf } from '../core/model/point.ts';
import type { RollbackPolicy } from '../core/model/policy.ts';
import { describeStep } from '../core/model/step.ts';
import type { Target } from '../core/model/target.ts';
import { nearestName } from '../core/nearest-name.ts';
import { pointsInOrder } from '../core/points/points-by-state.ts';
import { newestValidPoints } from '../core/points/verdicts.ts';
import { describeEvent } from '../core/report/describe-event.ts';
import { drillStatus } from './drill-status.ts';
import type { HostView } from './host-view.ts';
import { pointPolicyStatus } from './point-policy-status.ts';
import { pointDetail, pointStatus } from './point-status.ts';
import { targetPoints } from './points-summary.ts';
import { HttpProblem } from './problem.ts';
import { SCHEMA_VERSION } from './schema-version.ts';
import { flagStatus, incidentStatus, triggerStatuses } from './status.ts';
import { targetStatus } from './target-status.ts';

const EVENTS_SHOWN = 20;

const KINDS = [
  'RollbackPolicy',
  'Flag',
  'Target',
  'PointPolicy',
  'MetricSource',
  'Drill',
  'Incident',
  'Point',
] as const;

/** One object in full: what it is, how it stands, why, and what happened to it lately. */
export function explain(view: HostView, object: string): unknown {
  const slash = object.indexOf('/');
  const kind = object.slice(0, slash);
  const name = object.slice(slash + 1);
  const events = (view.store?.events({ subject: object, limit: EVENTS_SHOWN }) ?? []).map(({ seq, actor, event }) => ({
    seq,
    actor,
    at: event.at,
    type: event.type,
    text: describeEvent(event),
  }));
  return { schemaVersion: SCHEMA_VERSION, kind, name, ...detailOf(view, kind, name), events };
}

function detailOf(view: HostView, kind: string, name: string): object {
  const desired = view.desired();
  switch (kind) {
    case 'RollbackPolicy':
      return policyDetail(view, found(desired?.policies ?? {}, kind, name));
    case 'Flag':
      return { flag: flagStatus(found(desired?.flags ?? {}, kind, name), view) };
    case 'Target':
      return targetDetail(view, found(desired?.targets ?? {}, kind, name));
    case 'PointPolicy':
      return { pointPolicy: pointPolicyStatus(found(desired?.pointPolicies ?? {}, kind, name), view) };
    case 'Point':
      return { point: pointDetail(view, name) };
    case 'MetricSource': {
      const source = found(desired?.metricSources ?? {}, kind, name);
      return { source, targets: view.sources().filter((target) => target.source === name) };
    }
    case 'Drill':
      return { drill: drillStatus(found(desired?.drills ?? {}, kind, name), view) };
    case 'Incident': {
      const incident = view.store?.incident(name);
      if (incident === undefined) throw new HttpProblem(404, 'notFound', `there is no incident ${name}`);
      return { incident: incidentStatus(incident) };
    }
    default:
      throw new HttpProblem(400, 'invalid', `name an object as KIND/NAME, with a kind of ${KINDS.join(', ')}`);
  }
}

/** Of a target with points also its newest, and what holds that. */
function targetDetail(view: HostView, target: Target): object {
  const { name } = target;
  const answer = { target: targetStatus(target, view) };
  const points = pointsInOrder(view.memory()).filter((point) => snapshotOf(point, name) !== undefined);
  const newest = newestValidPoints(points, view.now()).get(name);
  return {
    ...answer,
    points: {
      policies: Object.values(view.desired()?.pointPolicies ?? {})
        .filter(({ targets }) => targets.includes(name))
        .map((policy) => policy.name),
      count: points.length,
      valid: points.filter(isValid).length,
      newestValid: newest === undefined ? null : pointStatus(view, newest),
      ageMs: targetPoints(view).find((one) => one.target === name)?.ageMs ?? null,
      holds: Object.values(view.memory().holds)
        .filter(({ object }) => object === `Target/${name}`)
        .map(({ id, cause }) => ({ id, cause })),
    },
  };
}

function policyDetail(view: HostView, policy: RollbackPolicy): object {
  const memory = view.memory();
  return {
    policy: {
      origin: formatOrigin(policy.origin),
      suspended: policy.suspend,
      match: policy.match,
      critical: criticalTriggers(policy).length,
      cooldownMs: policy.cooldownMs,
      limit: policy.limit ?? null,
      touches: conflictSet(policy),
      ladder: policy.ladder.map((rung) => ({
        rung: rung.name,
        do: rung.do.map(describeStep),
        verify: rung.verify,
        approval: rung.approval === undefined ? null : describeRoles(rung.approval.roles),
        estimateMs: estimateOf(memory, policy.name, rung.name)?.ms ?? null,
      })),
      brake: memory.brakes[policy.name] ?? null,
      incident:
        Object.values(memory.incidents).find((one) => isOpen(one) && one.policy.name === policy.name)?.id ?? null,
    },
    triggers: triggerStatuses(view)
      .filter(({ trigger }) => trigger.startsWith(`${policy.name}/`))
      .map((status) => ({
        ...status,
        verdict: memory.triggers[status.trigger]?.verdict ?? null,
        message: memory.triggers[status.trigger]?.message ?? null,
        coverage: view.coverage?.(status.query) ?? null,
      })),
  };
}

function found<T>(objects: Readonly<Record<string, T>>, kind: string, name: string): T {
  const object = objects[name];
  if (object !== undefined) return object;
  const nearest = nearestName(name, Object.keys(objects));
  const hint = nearest === undefined ? '' : `; did you mean ${kind}/${nearest}?`;
  throw new HttpProblem(404, 'notFound', `there is no ${kind}/${name} in the policies in force${hint}`);
}
