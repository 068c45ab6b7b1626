import { firstRung } from '../../../src/core/incidents/open-incidents.ts';
import type { Memory } from '../../../src/core/memory.ts';
import {
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
import { age, elapsed, FORGOTTEN, left, nameOf, policyName, type Scope } from './scope.ts';

/** No trigger is fresh that was evaluated before an instant so long ago. */
const LONG_AGO_MS = 4 * TICK_MS;

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
  let form = `{${policyName(policy)}@${firstRung(incident)}`;
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
    case 'entering':
      return `n${phase.rung}${incident.openedAt === scope.now ? '!' : ''}`;
    case 'executing':
      return executingForm(scope, incident, phase);
    case 'verifying':
      return verifyingForm(scope, phase);
    case 'asking': {
      const { rung, about } = phase;
      return `?${rung}${about.kind === 'executing' ? executingForm(scope, incident, about) : askedForm(scope, about)}`;
    }
  }
}

/** Only a flag that is being set, and a move that is made effective, count their time; every other step has an operation with a deadline of its own. */
function executingForm(scope: Scope, { policy }: Incident, phase: ExecutingPhase): string {
  const { rung, part, step, startedAt, outcome, destination } = phase;
  const current = policy.ladder[rung]?.[part][step];
  const counts = startedAt !== null && (current?.kind === 'setFlag' || current?.kind === 'restore');
  const started = counts
    ? age(scope, startedAt, current.timeoutMs, frozenAt(scope, startedAt))
    : startedAt === null
      ? ''
      : 's';
  return `x${rung}${part[0]}${step},${started}${outcome?.outcome ?? ''}${destination ?? ''}`;
}

/** While halted, a verification stands still as of the halt, or as of its own beginning if that was later. */
function verifyingForm(scope: Scope, { rung, since, settleAt, deadlineAt, goodSince }: VerifyingPhase): string {
  const now = frozenAt(scope, since);
  const good =
    goodSince === null || scope.state.memory.halt !== null ? '' : age(scope, goodSince, scope.horizons.successMs);
  return `v${rung},${-age(scope, settleAt, LONG_AGO_MS, now)},${left(scope, deadlineAt, now)},${good}`;
}

/** A verification that a person is asked about has no deadline any more, and does not stand still. */
function askedForm(scope: Scope, { rung, settleAt, goodSince }: VerifyingPhase): string {
  const good = goodSince === null ? '' : age(scope, goodSince, scope.horizons.successMs);
  return `v${rung},${-age(scope, settleAt, LONG_AGO_MS)},${good}`;
}

function frozenAt(scope: Scope, since: Millis): Millis {
  const { halt } = scope.state.memory;
  return halt === null ? scope.now : Math.max(since, halt.noticedAt);
}

export function rollbacksForm(scope: Scope, rollbacks: Memory['rollbacks']): string {
  const { horizons, rewindMs } = scope;
  let form = '';
  for (const { policy, conflictSet, at, endedAt } of rollbacks) {
    const opened = age(scope, at, horizons.limitMs);
    const ended = endedAt === null ? 'open' : age(scope, endedAt, horizons.cooldownMs);
    if (opened === horizons.limitMs + rewindMs && ended === horizons.cooldownMs + rewindMs) continue;
    form += `[${policy}${conflictSet.join()}${opened},${ended}]`;
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
    if (brake !== undefined) form += `${policy}${brake.kind[0]}${left(scope, brake.until)}`;
  }
  return form;
}
