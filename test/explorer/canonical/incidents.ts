import { firstRung } from '../../../src/core/incidents/first-rung.ts';
import { COUNT_PATIENCE_MS } from '../../../src/core/incidents/loss.ts';
import { deadlineOf } from '../../../src/core/incidents/verify.ts';
import type { Memory } from '../../../src/core/memory.ts';
import {
  type AskedAbout,
  type AwaitingPhase,
  type ExecutingPhase,
  type Incident,
  type IncidentId,
  type Phase,
  toldOf,
  type VerifyingPhase,
} from '../../../src/core/model/incident.ts';
import type { Millis } from '../../../src/core/units.ts';
import { TICK_MS } from '../model/small-world.ts';
import type { SeenRollback } from '../model/witness.ts';
import { age, elapsed, FORGOTTEN, left, nameOf, pointName, policyName, type Scope } from './scope.ts';

/** No trigger is fresh that was evaluated before an instant so long ago. */
const LONG_AGO_MS = 4 * TICK_MS;

/** Longer than any restore of a world may take to be intact. */
const CHECKING_MS = 600_000;

export function incidentsForm(scope: Scope, incidents: Memory['incidents']): string {
  let form = '';
  for (const id in incidents) {
    const incident = incidents[id];
    if (incident !== undefined) form += incidentForm(scope, incident);
  }
  return form;
}

function incidentForm(scope: Scope, incident: Incident): string {
  const { policy, joined, phase } = incident;
  if (phase.kind === 'closed')
    return `{${policy.name}c${waitsForTime(scope, incident.id) ? age(scope, phase.at, scope.horizons.liftMs) : ''}}`;
  let form = `{${policyName(policy)}@${firstRung(incident)}${incident.held ? 'h' : ''}${incident.pausedAt === null ? '' : 'p'}`;
  for (const one of joined) form += `+${policyName(one.policy)}`;
  return `${form}${phaseForm(scope, incident, phase)}${toldForm(scope, incident)}}`;
}

/** Which levels of escalation were told, and how long until the next; who was told beside the policy's own. */
function toldForm(scope: Scope, incident: Incident): string {
  const { levels, hearers, since } = toldOf(incident);
  const next = incident.policy.escalate?.[levels];
  const waits = next === undefined ? '' : age(scope, since, next.afterMs);
  return `${levels === 0 ? '' : levels}${waits === '' ? '' : `e${waits}`}${hearers.join()}`;
}

/** Whether a latch of a closed incident counts the time since then. */
function waitsForTime({ state }: Scope, id: IncidentId): boolean {
  const holds = Object.values(state.memory.holds);
  return holds.some((hold) => hold.kind === 'latch' && hold.incident === id && hold.lift.kind === 'after');
}

function phaseForm(scope: Scope, incident: Incident, phase: Exclude<Phase, { kind: 'closed' }>): string {
  switch (phase.kind) {
    case 'fixing-forward':
      return `f${phase.rung},${left(scope, phase.deadlineAt, frozenAt(scope, incident, phase.since))}`;
    case 'verifying':
      return verifyingForm(scope, incident, phase);
    case 'asking':
      return `?${phase.rung}${aboutForm(scope, incident, phase.about)}`;
    default:
      return aboutForm(scope, incident, phase);
  }
}

function aboutForm(scope: Scope, incident: Incident, about: AskedAbout): string {
  switch (about.kind) {
    case 'entering':
      return `n${about.rung}${about.unsure ? 'u' : ''}`;
    case 'awaiting-approval':
      return awaitingForm(scope, incident, about);
    case 'executing':
      return executingForm(scope, incident, about);
    case 'verifying':
      return askedForm(scope, about);
  }
}

/** The digest of a request stands for what is written of it here. */
function awaitingForm(scope: Scope, incident: Incident, phase: AwaitingPhase): string {
  const { rung, since, deadlineAt, request, given, overriddenBy } = phase;
  const now = frozenAt(scope, incident, since);
  const asked = request === null ? '' : JSON.stringify([request.covers, request.point]);
  const by = [...given.map(({ subject }) => subject), overriddenBy?.subject ?? ''].join();
  return `w${rung},${age(scope, since, COUNT_PATIENCE_MS, now)},${left(scope, deadlineAt, now)}${asked}${by}`;
}

/** Only a flag that is being set, and a move that is made effective, count their time; every other step has an operation with a deadline of its own. */
function executingForm(scope: Scope, incident: Incident, phase: ExecutingPhase): string {
  const { policy } = incident;
  const { rung, part, step, startedAt, outcome, destination, checkingSince, afterStep } = phase;
  const current = policy.ladder[rung]?.[part][step];
  const counts = startedAt !== null && (current?.kind === 'setFlag' || current?.kind === 'restore');
  const started = counts
    ? age(scope, startedAt, current.timeoutMs, frozenAt(scope, incident, startedAt))
    : startedAt === null
      ? ''
      : 's';
  const goal =
    destination !== undefined && scope.points.includes(destination)
      ? pointName(scope, destination)
      : (destination ?? '');
  const checking = checkingSince === undefined ? '' : `c${age(scope, checkingSince, CHECKING_MS)}`;
  return `x${rung}${part[0]}${afterStep === true ? '!' : ''}${step},${started}${outcome?.outcome ?? ''}${goal}${checking}`;
}

/** While halted, a verification stands still as of the halt, or as of its own beginning if that was later. */
function verifyingForm(scope: Scope, incident: Incident, phase: VerifyingPhase): string {
  const { rung, since, settleAt, deadlineAt, goodSince, afterStep } = phase;
  const now = frozenAt(scope, incident, since);
  const current = incident.policy.ladder[rung];
  const joined = current === undefined ? [] : incident.joined.map(({ at }) => deadlineOf(current, phase, at));
  const later = joined.map((at) => (at === deadlineAt ? '' : left(scope, at, now))).join();
  const good = goodSince === null || isFrozen(scope, incident) ? '' : age(scope, goodSince, scope.horizons.successMs);
  return `v${rung}${afterStep === true ? '!' : ''},${-age(scope, settleAt, LONG_AGO_MS, now)},${left(scope, deadlineAt, now)},${good}${later}`;
}

/** A verification that a person is asked about has no deadline any more, and does not stand still. */
function askedForm(scope: Scope, { rung, settleAt, goodSince, afterStep }: VerifyingPhase): string {
  const good = goodSince === null ? '' : age(scope, goodSince, scope.horizons.successMs);
  return `v${rung}${afterStep === true ? '!' : ''},${-age(scope, settleAt, LONG_AGO_MS)},${good}`;
}

function frozenAt({ now, state }: Scope, { pausedAt }: Incident, since: Millis): Millis {
  const stopped = [state.memory.halt?.noticedAt, pausedAt].filter((at) => at !== undefined && at !== null);
  return stopped.length === 0 ? now : Math.max(since, Math.min(...stopped));
}

function isFrozen({ state }: Scope, { pausedAt }: Incident): boolean {
  return state.memory.halt !== null || pausedAt !== null;
}

export function rollbacksForm(scope: Scope, rollbacks: Memory['rollbacks']): string {
  const { horizons, rewindMs } = scope;
  let form = '';
  for (const { policy, conflictSet, at, endedAt, cooldownMs, acted } of rollbacks) {
    const opened = age(scope, at, horizons.limitMs);
    const ended = endedAt === null ? 'open' : age(scope, endedAt, horizons.cooldownMs);
    if (opened === horizons.limitMs + rewindMs && ended === horizons.cooldownMs + rewindMs) continue;
    form += `[${policy}${conflictSet.join()}${opened},${ended},${cooldownMs}${acted ? '' : '-'}]`;
  }
  return form;
}

export function seenRollbacksForm(scope: Scope, rollbacks: readonly SeenRollback[]): string {
  const { horizons } = scope;
  let form = '';
  for (const { incident, policy, openedMs, endedMs } of rollbacks) {
    const opened = elapsed(scope, openedMs, horizons.limitMs);
    const name = nameOf(scope, incident);
    const most = waitsForTime(scope, incident) ? Math.max(horizons.cooldownMs, horizons.liftMs) : horizons.cooldownMs;
    const ended = endedMs === null ? 'open' : elapsed(scope, endedMs, most);
    if (name === FORGOTTEN && opened === horizons.limitMs && ended === horizons.cooldownMs) continue;
    form += `[${name}${policyName(policy)}${opened},${ended}]`;
  }
  return form;
}

export function brakesForm(scope: Scope, brakes: Memory['brakes']): string {
  let form = '';
  for (const policy in brakes) {
    const brake = brakes[policy];
    if (brake !== undefined)
      form += `${policy}${brake.kind}${left(scope, brake.until)}${brake.quiet === true ? 'q' : ''}`;
  }
  return form;
}
