import type { Quarantine } from '../model/hold.ts';
import type { ManualRestore } from '../model/manual-restore.ts';
import { type Snapshot, snapshotOf } from '../model/point.ts';
import { revisionOfPrint, type Target, targetObject } from '../model/target.ts';
import { gitSight, quarantineOf } from '../targets/code-revisions.ts';
import type { Turn } from '../turn.ts';

/**
 * Before a person's restore moves a checkout: what it leaves must not be deployed again because the tracked ref is there,
 * and what it goes to must not be put away again because an incident left it. A part of the files is no revision.
 */
export function settleRestoredCode(turn: Turn, restore: ManualRestore): void {
  const point = turn.memory.points[restore.point];
  if (point === undefined || restore.paths.length > 0) return;
  for (const name of restore.targets) {
    const target = turn.desired.targets[name];
    const snapshot = snapshotOf(point, name);
    if (target === undefined || snapshot?.type !== 'git' || Object.hasOwn(restore.outcomes, name)) continue;
    settleCode(turn, restore, target, snapshot);
  }
}

function settleCode(turn: Turn, restore: ManualRestore, target: Target, snapshot: Snapshot): void {
  const { name } = target;
  const { tree } = revisionOfPrint(snapshot.fingerprint);
  const { holds } = turn.memory;
  const former = quarantineOf(holds, name, tree);
  if (former !== undefined) {
    const reason = `${restore.by} goes back to it: ${restore.reason}`;
    turn.emit({ type: 'hold.lifted', id: former.id, object: former.object, reason });
  }
  const current = turn.memory.targets[name]?.current ?? null;
  const tip = gitSight(turn, target)?.tip ?? null;
  if (current === null || current.tree === tree || tip?.tree !== current.tree) return;
  if (quarantineOf(holds, name, current.tree) !== undefined) return;
  turn.emit({ type: 'hold.placed', hold: quarantine(turn, restore, target, current) });
}

function quarantine(
  turn: Turn,
  { id, by, reason }: ManualRestore,
  { name, origin }: Target,
  { commit, tree }: Pick<Quarantine, 'commit' | 'tree'>,
): Quarantine {
  return {
    kind: 'quarantine',
    id: `quarantine:${name}:${tree.slice(0, 12)}`,
    object: targetObject(name),
    since: turn.now,
    cause: `${by}: ${reason}`,
    target: name,
    incident: id,
    origin,
    commit,
    tree,
  };
}
