import { shortCommit, type Target, targetObject } from '../model/target.ts';
import type { Condition } from '../plan/plan.ts';
import type { Turn } from '../turn.ts';
import { gitSight, quarantineOf } from './code-revisions.ts';
import { broughtBack } from './moves.ts';

/** What people should know of targets. */
export function targetConditions(turn: Turn): Condition[] {
  return Object.values(turn.desired.targets).flatMap((target) => [
    ...sightConditions(turn, target),
    ...workConditions(turn, target),
    ...quarantineConditions(turn, target),
    ...windowConditions(turn, target),
  ]);
}

function sightConditions(turn: Turn, { name, origin }: Target): Condition[] {
  const sight = turn.observed.targets[name];
  const object = targetObject(name);
  if (sight?.kind === 'unreadable') {
    return [{ type: 'TargetUnreadable', object, message: sight.message, needsAttention: true, origin }];
  }
  if (sight?.kind !== 'git' || sight.tipFault === null) return [];
  return [{ type: 'FetchFailing', object, message: sight.tipFault, needsAttention: true, origin }];
}

function workConditions(turn: Turn, { name, origin }: Target): Condition[] {
  const object = targetObject(name);
  const { failing = null, owed = null } = turn.memory.targets[name] ?? {};
  const conditions: Condition[] = [];
  if (failing !== null) {
    const message = `moving it failed ${failing.attempts} time(s): ${failing.message}`;
    conditions.push({ type: 'MoveFailing', object, message, needsAttention: true, origin });
  }
  if (owed !== null) {
    const why = owed.retry === null ? '' : `, failed ${owed.retry.attempts} time(s): ${owed.retry.message}`;
    const message = `${owed.steps.length - owed.done} step(s) are owed until it is effective${why}`;
    conditions.push({ type: 'ActivationOwed', object, message, needsAttention: owed.retry !== null, origin });
  }
  return conditions;
}

function quarantineConditions(turn: Turn, target: Target): Condition[] {
  const sight = gitSight(turn, target);
  if (sight === undefined) return [];
  const { name, origin } = target;
  const object = targetObject(name);
  const { head, tip } = sight;
  if (broughtBack(turn, target, head.tree) && turn.memory.targets[name]?.repaired.includes(head.tree) === true) {
    const message = `${shortCommit(head.commit)} is in quarantine and was brought back again; it is left there. \`revertd holds lift\` ends the quarantine`;
    return [{ type: 'Quarantined', object, message, needsAttention: true, origin }];
  }
  const hold = tip === null ? undefined : quarantineOf(turn.memory.holds, name, tip.tree);
  if (tip === null || hold === undefined) return [];
  const message = `${shortCommit(tip.commit)} is not deployed: ${hold.cause}. Another commit is tried as the fix, or \`revertd holds lift ${hold.id}\``;
  return [{ type: 'Quarantined', object, message, needsAttention: false, origin }];
}

function windowConditions(turn: Turn, { name, origin }: Target): Condition[] {
  const withheld = turn.memory.targets[name]?.withheld ?? null;
  if (withheld === null) return [];
  const message = `${shortCommit(withheld.commit)} is deployed only when Window/${withheld.window} allows it`;
  return [{ type: 'Windowed', object: targetObject(name), message, needsAttention: false, origin }];
}
