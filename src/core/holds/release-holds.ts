import type { Memory } from '../memory.ts';
import type { Hold, Latch, Override } from '../model/hold.ts';
import { type Incident, isOpen } from '../model/incident.ts';
import { shortRevision } from '../model/revision.ts';
import { triggerKey } from '../model/trigger.ts';
import { isClearSince, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { type Blocking, blockingWindow, describeBlocking, effectiveWithout } from '../windows/blocking-window.ts';

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
      if (hold.expiresAt === null || turn.now < hold.expiresAt) return null;
      return overrideBlocker(turn, hold) === null ? 'its time is over' : null;
    case 'latch':
      return latchBlockers(turn, hold).length === 0 ? latchReason(turn, hold) : null;
  }
}

/** The window for which an override whose time is over still has to wait. */
export function overrideBlocker(turn: Seen, hold: Override): Blocking | null {
  const flag = turn.desired.flags[hold.flag];
  if (flag === undefined || hold.expiresAt === null || turn.now < hold.expiresAt) return null;
  return blockingWindow(turn, flag, effectiveWithout(turn, flag, hold.id));
}

type Seen = Pick<Turn, 'desired' | 'memory' | 'now'> & { readonly observed: Pick<Turn['observed'], 'windows'> };

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
export function latchBlockers(turn: Seen, latch: Latch): string[] {
  const incident = turn.memory.incidents[latch.incident];
  const blockers: string[] = [];
  if (incident !== undefined && isOpen(incident)) blockers.push(`${incident.id} is closed`);
  const waiting = liftCondition(turn, latch, incident);
  if (waiting !== null) blockers.push(waiting);
  if (incident !== undefined) blockers.push(...unclearTriggers(turn, incident));
  const flag = turn.desired.flags[latch.flag];
  const blocking = flag === undefined ? null : blockingWindow(turn, flag, effectiveWithout(turn, flag, latch.id));
  if (blocking !== null) blockers.push(`${describeBlocking(blocking)} is over`);
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

/**
 * The critical triggers of the incident's policies, as git has them now, and the ones that opened it. Those that git no
 * longer has cannot be waited for.
 */
function unclearTriggers(turn: Pick<Turn, 'desired' | 'memory' | 'now'>, incident: Incident): string[] {
  const openers = new Set(incident.openedBy.map(({ trigger }) => trigger));
  const names = new Set([incident.policy.name, ...incident.joined.map(({ policy }) => policy.name)]);
  return [...names].flatMap((name) =>
    (turn.desired.policies[name]?.triggers ?? [])
      .map((trigger) => ({ key: triggerKey(name, trigger.name), trigger }))
      .filter(({ key, trigger }) => trigger.severity === 'critical' || openers.has(key))
      .filter(({ key, trigger }) => {
        const view = viewTrigger(turn.memory, key, trigger, turn.now);
        return !isClearSince(view, Number.NEGATIVE_INFINITY);
      })
      .map(({ key }) => `${key} is inactive with data`),
  );
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
