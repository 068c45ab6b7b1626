import type { Memory } from '../memory.ts';
import type { Hold, Latch } from '../model/hold.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import { shortRevision } from '../model/revision.ts';
import { triggerKey } from '../model/trigger.ts';
import { isClearSince, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';

/** Lifts the holds whose time or condition has come. */
export function releaseHolds(turn: Turn): void {
  for (const hold of Object.values(turn.memory.holds)) {
    const reason = liftReason(turn, hold);
    if (reason !== null) turn.emit({ type: 'hold.lifted', id: hold.id, object: hold.object, reason });
  }
}

function liftReason(turn: Turn, hold: Hold): string | null {
  switch (hold.kind) {
    case 'quarantine':
      return null;
    case 'adoption':
    case 'targetAdoption':
      // Ended where places and targets are looked at, for that is where live and desired are compared.
      return null;
    case 'override':
      return hold.expiresAt !== null && turn.now >= hold.expiresAt ? 'its time is over' : null;
    case 'latch':
      return latchBlockers(turn, hold).length === 0 ? latchReason(turn, hold) : null;
  }
}

function latchReason(turn: Turn, latch: Latch): string {
  switch (latch.lift.kind) {
    case 'onFlagChange':
      return turn.desired.flags[latch.flag] === undefined
        ? `the flag is no longer in git (${shortRevision(turn.desired.revision)})`
        : `the flag changed in git (${shortRevision(turn.desired.revision)})`;
    case 'manual':
      return 'lifted by a person';
    case 'onFix':
      return `a new revision of ${latch.lift.target} has proved good`;
    case 'after':
      return 'its time is over';
  }
}

/** What a latch still waits for, in words; empty when it is to be lifted. */
export function latchBlockers(turn: Pick<Turn, 'desired' | 'memory' | 'now'>, latch: Latch): string[] {
  const incident = turn.memory.incidents[latch.incident];
  const blockers: string[] = [];
  if (incident !== undefined && isOpen(incident)) blockers.push(`${incident.id} is closed`);
  const waiting = liftCondition(turn, latch, incident);
  if (waiting !== null) blockers.push(waiting);
  if (incident !== undefined) blockers.push(...unclearTriggers(turn, incident));
  return blockers;
}

function liftCondition(
  turn: Pick<Turn, 'desired' | 'memory' | 'now'>,
  latch: Latch,
  incident: Incident | undefined,
): string | null {
  switch (latch.lift.kind) {
    case 'onFlagChange': {
      const flag = turn.desired.flags[latch.flag];
      return flag?.digest === latch.lift.digest ? `a commit changes flag ${latch.flag}` : null;
    }
    case 'manual':
      return `somebody lifts it: revertd holds lift ${latch.id}`;
    case 'onFix': {
      const { target } = latch.lift;
      const isFixed = turn.memory.targets[target]?.good.some(({ at }) => at > latch.since) ?? false;
      return isFixed ? null : `a new revision of ${target} proves good`;
    }
    case 'after': {
      const from = incident?.phase.kind === 'closed' ? incident.phase.at : latch.since;
      return turn.now >= from + latch.lift.spanMs ? null : `its time is over`;
    }
  }
}

/** Triggers that git no longer has cannot be waited for. */
function unclearTriggers(turn: Pick<Turn, 'desired' | 'memory' | 'now'>, incident: Incident): string[] {
  const policy = turn.desired.policies[incident.policy.name];
  if (policy === undefined) return [];
  return policy.triggers
    .filter((trigger) => trigger.severity === 'critical')
    .filter((trigger) => {
      const view = viewTrigger(turn.memory, triggerKey(policy.name, trigger.name), trigger, turn.now);
      return !isClearSince(view, Number.NEGATIVE_INFINITY);
    })
    .map((trigger) => `${triggerKey(policy.name, trigger.name)} is inactive with data`);
}

/** Closed incidents that nothing refers to any more leave memory; the log keeps them. */
export function forgetIncidents(turn: Turn): void {
  const { memory } = turn;
  for (const incident of Object.values(memory.incidents)) {
    if (!isOpen(incident) && !isReferredTo(memory, incident.id)) {
      turn.emit({ type: 'incident.forgotten', incident: incident.id });
    }
  }
}

function isReferredTo(memory: Memory, id: string): boolean {
  return (
    Object.hasOwn(memory.reportsOwed, id) ||
    Object.values(memory.holds).some((hold) => hold.kind === 'latch' && hold.incident === id) ||
    Object.values(memory.operations).some(
      ({ action }) => (action.kind === 'step' || action.kind === 'report') && action.incident === id,
    )
  );
}
