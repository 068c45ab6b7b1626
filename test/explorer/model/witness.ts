import type { Event } from '../../../src/core/event.ts';
import type { ApprovalRequest, GivenApproval } from '../../../src/core/model/approval.ts';
import type { HoldId } from '../../../src/core/model/hold.ts';
import type { IncidentId } from '../../../src/core/model/incident.ts';
import type { Operation } from '../../../src/core/model/operation.ts';
import type { RollbackPolicy } from '../../../src/core/model/policy.ts';
import { without } from '../../../src/core/record.ts';
import type { Millis } from '../../../src/core/units.ts';
import { NO_POINTS, type PointWitness, watchPoints } from './point-witness.ts';
import type { TriggerWitness } from './trigger-witness.ts';

/**
 * What a bystander with a watch of their own wrote down: the history that invariants are judged by. It rests on what
 * happened, and never on what revertd remembers of it. All times are `elapsedMs`, which no clock can set.
 */
export type Witness = {
  /** By trigger and digest. */
  readonly triggers: Readonly<Record<string, TriggerWitness>>;
  readonly rollbacks: readonly SeenRollback[];
  readonly holds: Readonly<Record<HoldId, SeenHold>>;
  readonly targets: Readonly<Record<string, SeenTarget>>;
  /** What was asked of people last, by incident, and who agreed to just that. */
  readonly approvals: Readonly<Record<IncidentId, SeenApproval>>;
  /** Steps that must not be done twice, and that were done or may have been. */
  readonly done: readonly DoneStep[];
  readonly stock: PointWitness;
};

export type SeenRollback = {
  readonly incident: IncidentId;
  readonly policy: RollbackPolicy;
  readonly conflictSet: readonly string[];
  readonly openedMs: Millis;
  readonly endedMs: Millis | null;
};

export type SeenHold = {
  readonly placedMs: Millis;
  readonly expiresMs: Millis | null;
  /** Of the flag in git when the hold was placed. */
  readonly digest: string | null;
  /** What a rollback put away. */
  readonly quarantine: { readonly target: string; readonly tree: string } | null;
};

export type SeenTarget = {
  readonly tree: string;
  readonly sinceMs: Millis;
  /** When a revision proved good last. */
  readonly goodMs: Millis | null;
};

export type SeenApproval = { readonly request: ApprovalRequest; readonly given: readonly GivenApproval[] };

export type DoneStep = { readonly incident: IncidentId; readonly step: string };

export const BLANK_WITNESS: Witness = {
  triggers: {},
  rollbacks: [],
  holds: {},
  targets: {},
  approvals: {},
  done: [],
  stock: NO_POINTS,
};

export type Scene = {
  readonly elapsedMs: Millis;
  /** The digest of a flag as git has it now. */
  readonly digestOf: (flag: string) => string | null;
};

/** The witness after one more event. */
export function testify(before: Witness, event: Event, scene: Scene): Witness {
  const stock = watchPoints(before.stock, event, scene.elapsedMs);
  const witness = stock === before.stock ? before : { ...before, stock };
  switch (event.type) {
    case 'incident.opened': {
      const { id: incident, policy, conflictSet } = event.incident;
      const seen = { incident, policy, conflictSet, openedMs: scene.elapsedMs, endedMs: null };
      return { ...witness, rollbacks: [...witness.rollbacks, seen] };
    }
    case 'incident.closed':
      return {
        ...witness,
        rollbacks: witness.rollbacks.map((one) =>
          one.incident === event.incident ? { ...one, endedMs: scene.elapsedMs } : one,
        ),
      };
    case 'incident.answered':
      // A person who has a step repeated takes it on themselves.
      return event.answer === 'retry'
        ? { ...witness, done: witness.done.filter(({ incident }) => incident !== event.incident) }
        : witness;
    case 'hold.placed': {
      const { hold } = event;
      const ttlMs = hold.kind === 'override' && hold.expiresAt !== null ? hold.expiresAt - event.at : null;
      const seen: SeenHold = {
        placedMs: scene.elapsedMs,
        expiresMs: ttlMs === null ? null : scene.elapsedMs + ttlMs,
        quarantine: hold.kind === 'quarantine' ? { target: hold.target, tree: hold.tree } : null,
        digest: 'flag' in hold ? scene.digestOf(hold.flag) : null,
      };
      return { ...witness, holds: { ...witness.holds, [hold.id]: seen } };
    }
    case 'target.moved': {
      const goodMs = witness.targets[event.target]?.goodMs ?? null;
      const seen = { tree: event.to.tree, sinceMs: scene.elapsedMs, goodMs };
      return { ...witness, targets: { ...witness.targets, [event.target]: seen } };
    }
    case 'target.good': {
      const seen = witness.targets[event.target];
      if (seen === undefined) return witness;
      return { ...witness, targets: { ...witness.targets, [event.target]: { ...seen, goodMs: scene.elapsedMs } } };
    }
    case 'approval.requested':
      return withApproval(witness, event.incident, { request: event.request, given: [] });
    case 'approval.given': {
      const asked = witness.approvals[event.incident];
      if (asked === undefined || asked.request.digest !== event.digest) return witness;
      return withApproval(witness, event.incident, { ...asked, given: [...asked.given, event.approval] });
    }
    case 'hold.lifted':
      return { ...witness, holds: without(witness.holds, [event.id]) };
    default:
      return witness;
  }
}

function withApproval(witness: Witness, incident: IncidentId, approval: SeenApproval): Witness {
  return { ...witness, approvals: { ...witness.approvals, [incident]: approval } };
}

/** An operation came so far that it had its effect, or may have had it. */
export function noteEffect(witness: Witness, operation: Operation): Witness {
  const step = unrepeatableStep(operation);
  return step === null ? witness : { ...witness, done: [...witness.done, step] };
}

/** The step that an operation must not do twice; null where a repetition does no harm. */
export function unrepeatableStep({ action }: Operation): DoneStep | null {
  if (action.kind !== 'step' || !('repeatable' in action.step)) return null;
  return action.step.repeatable ? null : { incident: action.incident, step: action.key };
}

/** Drops what can no longer matter, so that histories stay short. */
export function forget(
  witness: Witness,
  incidents: ReadonlySet<IncidentId>,
  isPast: (one: SeenRollback) => boolean,
): Witness {
  const isOver = (one: SeenRollback): boolean => isPast(one) && !incidents.has(one.incident);
  const rollbacks = witness.rollbacks.some(isOver)
    ? witness.rollbacks.filter((one) => !isOver(one))
    : witness.rollbacks;
  const isLost = ({ incident }: DoneStep): boolean => !incidents.has(incident);
  const done = witness.done.some(isLost) ? witness.done.filter((one) => !isLost(one)) : witness.done;
  const approvals = without(
    witness.approvals,
    Object.keys(witness.approvals).filter((id) => !incidents.has(id)),
  );
  const isSame = rollbacks === witness.rollbacks && done === witness.done && approvals === witness.approvals;
  return isSame ? witness : { ...witness, rollbacks, done, approvals };
}
