import { effectivePolicies } from '../effective-policies.ts';
import type { RollbackPolicy } from '../model/policy.ts';
import { bakeOf, shortCommit, type Target, targetObject } from '../model/target.ts';
import { triggerKey } from '../model/trigger.ts';
import { isClearSince, viewTrigger } from '../triggers/trigger-view.ts';
import type { Turn } from '../turn.ts';
import { type GitSight, gitSight, incidentOver, isMoving, targetAdoptionId } from './code-revisions.ts';
import { dueMove } from './moves.ts';

/** Follows what targets show: a revision that is new, one that proves good, and what git no longer has. */
export function settleTargets(turn: Turn): void {
  releaseOthers(turn);
  for (const target of Object.values(turn.desired.targets)) {
    const sight = gitSight(turn, target);
    if (sight === undefined || isMoving(turn.memory, target.name)) continue;
    meet(turn, target, sight);
    noticeMove(turn, target, sight);
    judgeCalm(turn, target);
    const failing = turn.memory.targets[target.name]?.failing ?? null;
    if (failing !== null && dueMove(turn, target)?.key !== failing.key) {
      turn.emit({ type: 'target.settled', target: target.name });
    }
  }
}

/** First sight. A checkout that differs from what it tracks is somebody's choice, until a person hands it over. */
function meet(turn: Turn, target: Target, sight: GitSight): void {
  const id = targetAdoptionId(target.name);
  const waiting = turn.memory.holds[id];
  const differs = sight.tip !== null && sight.tip.tree !== sight.head.tree;
  if (waiting !== undefined && (!differs || turn.desired.adopt === 'git')) {
    const reason = differs ? 'the host takes over git’s revisions' : 'the checkout shows what it tracks';
    turn.emit({ type: 'hold.lifted', id, object: waiting.object, reason });
  }
  if (sight.tip === null || turn.memory.targets[target.name]?.isMet === true) return;
  turn.emit({ type: 'target.met', target: target.name });
  if (!differs || turn.desired.adopt === 'git') return;
  const cause = `seen for the first time: it is at ${shortCommit(sight.head.commit)}, what it tracks at ${shortCommit(sight.tip.commit)}`;
  const { name } = target;
  turn.emit({
    type: 'hold.placed',
    hold: {
      kind: 'targetAdoption',
      id,
      object: targetObject(name),
      since: turn.now,
      cause,
      target: name,
      ...sight.head,
    },
  });
}

function noticeMove(turn: Turn, target: Target, { head }: GitSight): void {
  const memory = turn.memory.targets[target.name];
  if (memory?.current?.tree === head.tree) return;
  const from = memory?.current ?? null;
  const by = memory?.arrived === head.tree ? 'revertd' : 'others';
  turn.emit({
    type: 'target.moved',
    target: target.name,
    from: from === null ? null : { commit: from.commit, tree: from.tree },
    to: head,
    by,
  });
}

/** A revision is good once it was effective for `bake` while all that names the target was inactive with data. */
function judgeCalm(turn: Turn, target: Target): void {
  const { name } = target;
  const current = turn.memory.targets[name]?.current ?? null;
  if (current === null || current.isGood) return;
  const trouble = troubleOf(turn, target);
  if (trouble !== null) {
    if (current.calmSince !== null) turn.emit({ type: 'target.disturbed', target: name, reason: trouble });
    return;
  }
  if (current.calmSince === null) turn.emit({ type: 'target.calmed', target: name });
  const since = turn.memory.targets[name]?.current?.calmSince ?? turn.now;
  const { commit, tree } = current;
  if (turn.now - since >= bakeOf(target)) {
    turn.emit({ type: 'target.good', target: name, revision: { commit, tree } });
  }
}

/** What speaks against the present revision; null if nothing does. */
export function troubleOf(turn: Turn, { name }: Pick<Target, 'name'>): string | null {
  const incident = incidentOver(turn.memory, name);
  if (incident !== undefined) return `${incident.id} is open`;
  if ((turn.memory.targets[name]?.owed ?? null) !== null) return 'it is not fully activated';
  for (const policy of Object.values(effectivePolicies(turn.desired, turn.memory))) {
    if (policy.suspend || !namesTarget(policy, name)) continue;
    for (const trigger of policy.triggers) {
      const key = triggerKey(policy.name, trigger.name);
      const view = viewTrigger(turn.memory, key, trigger, turn.now);
      if (!isClearSince(view, Number.NEGATIVE_INFINITY)) return `${key} is not inactive with data`;
    }
  }
  return null;
}

export function namesTarget(policy: RollbackPolicy, name: string): boolean {
  return policy.ladder.some((rung) =>
    [...rung.do, ...rung.onFailure].some((step) => step.kind === 'restore' && step.target === name),
  );
}

/** What git no longer has is left as it is. Services that are still owed their start get it first. */
function releaseOthers(turn: Turn): void {
  const reason = 'git no longer has it; it is left as it is';
  for (const [name, { owed }] of Object.entries(turn.memory.targets)) {
    const isNeeded = Object.hasOwn(turn.desired.targets, name) || isMoving(turn.memory, name);
    if (isNeeded || (owed !== null && owed.retry === null)) continue;
    turn.emit({ type: 'target.released', target: name, reason });
  }
  for (const hold of Object.values(turn.memory.holds)) {
    if (hold.kind === 'targetAdoption' && !Object.hasOwn(turn.desired.targets, hold.target)) {
      turn.emit({ type: 'hold.lifted', id: hold.id, object: hold.object, reason });
    }
  }
}
