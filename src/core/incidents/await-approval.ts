import { fingerprint } from '../fingerprint.ts';
import type { ApprovalRequest, ApprovalRule } from '../model/approval.ts';
import type { AwaitingPhase, Incident } from '../model/incident.ts';
import type { Rung } from '../model/policy.ts';
import { describeStep } from '../model/step.ts';
import { isEmpty } from '../record.ts';
import { restoreAges } from '../targets/restore-age.ts';
import { destinationOf } from '../targets/restore-step.ts';
import type { Turn } from '../turn.ts';
import { formatDuration, formatInstant } from '../units.ts';
import { describeRoles, isComplete, slotsOf } from './approval-slots.ts';
import { type Estimate, estimateOf } from './duration-key.ts';
import { isOver } from './is-over.ts';
import { COUNT_PATIENCE_MS, statedLoss } from './loss.ts';

/** The rung waits for people. Good data ends the wait as well; the deadline is told, and decides nothing by itself. */
export function awaitApproval(turn: Turn, incident: Incident, phase: AwaitingPhase): boolean {
  const rung = incident.policy.ladder[phase.rung];
  const rule = rung?.approval;
  if (rung === undefined || rule === undefined) return false;
  const base = { incident: incident.id, rung: phase.rung, name: rung.name };
  if (incident.byHand === undefined && isOver(turn, incident) === 'yes') {
    const reason = `it was over before rung "${rung.name}" was approved`;
    turn.emit({ type: 'incident.closed', incident: incident.id, outcome: 'resolved', reason });
    return true;
  }
  if (state(turn, incident, rung, phase)) return true;
  if (phase.request !== null && (phase.overriddenBy !== null || isComplete(slotsOf(rule, phase.given)))) {
    turn.emit({ type: 'rung.entered', ...base });
    return true;
  }
  return turn.now >= phase.deadlineAt && expire(turn, incident, rung, rule, phase);
}

/** Says what is asked; once more when it has changed, whereby all that was given is void. */
function state(turn: Turn, incident: Incident, rung: Rung, phase: AwaitingPhase): boolean {
  const request = requestFor(turn, incident, rung, phase);
  if (request === null || request.digest === phase.request?.digest) return false;
  const previous = phase.request === null ? {} : { previous: phase.request.digest };
  turn.emit({ type: 'approval.requested', incident: incident.id, request, ...previous });
  return true;
}

/** Null while what would be lost is still being counted. */
function requestFor(turn: Turn, incident: Incident, rung: Rung, phase: AwaitingPhase): ApprovalRequest | null {
  const times = { since: phase.since, now: turn.now };
  const covered = phase.request?.covers ?? null;
  const loss =
    rung.dataLoss === undefined ? undefined : statedLoss(rung.dataLoss, turn.observed.measures, covered, times);
  if (loss === null) return null;
  const steps = rung.do.map(describeStep);
  const covers = loss?.covers ?? {};
  const point = pointOf(turn, incident, rung);
  if (point === undefined && turn.now < phase.since + COUNT_PATIENCE_MS) return null;
  const goodSince = restoreAges(turn, incident, rung);
  return {
    digest: fingerprint([incident.id, rung.name, steps, point ?? null, rung.dataLoss?.text ?? null, covers]),
    rung: rung.name,
    steps,
    point: point ?? null,
    ...(isEmpty(goodSince) ? {} : { goodSince }),
    loss: loss?.text ?? null,
    covers,
    ...estimated(estimateOf(turn.memory, incident.policy.name, rung.name)),
  };
}

function estimated(estimate: Estimate | null): Pick<ApprovalRequest, 'estimateMs' | 'estimatedBy'> {
  if (estimate === null) return { estimateMs: null };
  return { estimateMs: estimate.ms, estimatedBy: estimate.by };
}

function estimateText({ estimateMs, estimatedBy }: ApprovalRequest): string {
  if (estimateMs === null) return 'not known, it was never walked here';
  const by = estimatedBy === 'drill' ? ', as a drill measured it; it was never walked here' : '';
  return `${formatDuration(estimateMs)}${by}`;
}

/** Where the rung's restores go back to; null if it has none, undefined while a target was not looked at yet. */
function pointOf(turn: Turn, incident: Incident, rung: Rung): string | null | undefined {
  const texts: string[] = [];
  for (const step of rung.do) {
    if (step.kind !== 'restore') continue;
    const destination = destinationOf(turn, incident, step);
    if (destination.kind === 'unseen') return undefined;
    texts.push(destination.kind === 'to' ? `${step.target} at ${destination.to}` : destination.reason);
  }
  return texts.length === 0 ? null : texts.join('; ');
}

function expire(turn: Turn, incident: Incident, rung: Rung, rule: ApprovalRule, phase: AwaitingPhase): boolean {
  const missing = describeRoles(slotsOf(rule, phase.given).missing);
  turn.emit({ type: 'approval.expired', incident: incident.id, name: rung.name, missing });
  const late = `rung "${rung.name}" was not approved within ${formatDuration(rule.withinMs)} (missing: ${missing})`;
  if (rule.onTimeout === 'abort') {
    turn.emit({ type: 'incident.closed', incident: incident.id, outcome: 'aborted', reason: late });
  } else {
    turn.emit({ type: 'incident.asked', incident: incident.id, reason: late, everybody: true });
  }
  return true;
}

/** How old that state is, as of when people were asked: the words stay the same while they think. */
function agesText({ goodSince = {} }: ApprovalRequest, { since }: AwaitingPhase): string {
  return Object.entries(goodSince)
    .map(([target, at]) => {
      const age = formatDuration(Math.max(0, since - at));
      return `; ${target} was good from ${formatInstant(at)} on, ${age} before this was asked`;
    })
    .join('');
}

/** What is asked of people, line by line. */
export function describeRequest(incident: Incident, phase: AwaitingPhase): string[] {
  const rule = incident.policy.ladder[phase.rung]?.approval;
  const { request } = phase;
  if (rule === undefined || request === null) return ['what would be lost is being counted'];
  const { filled, missing } = slotsOf(rule, phase.given);
  return [
    `rung "${request.rung}": ${request.steps.join(', then ')}`,
    `would be lost: ${request.loss ?? 'nothing that the policy knows of'}`,
    ...(request.point === null ? [] : [`goes back to ${request.point}${agesText(request, phase)}`]),
    `takes about: ${estimateText(request)}`,
    `agreed: ${filled.map(({ role, by }) => `${by.subject} (${role})`).join(', ') || 'nobody yet'}`,
    `missing: ${describeRoles(missing) || 'nobody'}, until ${formatInstant(phase.deadlineAt)}; then ${rule.onTimeout === 'abort' ? 'the incident is aborted' : 'everybody is told'}`,
    ...(rule.override === undefined ? [] : [`in an emergency one ${rule.override.role} may decide alone: --override`]),
    `request ${request.digest}`,
  ];
}
