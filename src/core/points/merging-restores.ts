import type { Memory } from '../memory.ts';
import type { MergeReport, MergeSpec } from '../merge/merge-report.ts';
import type { RestoreAction } from '../model/action.ts';
import type { Incident } from '../model/incident.ts';
import type { ManualRestore } from '../model/manual-restore.ts';
import { isCaptured, isValid, type Point, type PointId, snapshotOf, wholeSnapshotOf } from '../model/point.ts';
import type { RestoreStep } from '../model/step.ts';
import { isMergeable } from '../model/target.ts';
import { CommandError, type Situation } from '../operator-commands.ts';
import { pointCalled } from './point-called.ts';
import { newestFirst } from './verdicts.ts';

type Merging = { readonly merge?: NonNullable<RestoreAction['merge']> };

/** How a person's restore merges. @throws CommandError where a target cannot be merged, or the ancestor does not hold it */
export function mergeFrom(
  { desired, memory }: Pick<Situation, 'desired' | 'memory'>,
  merge: MergeSpec & { readonly ancestor: PointId },
  point: PointId,
  targets: readonly string[],
): NonNullable<ManualRestore['merge']> {
  const ancestor = pointCalled(memory, merge.ancestor);
  if (!isCaptured(ancestor))
    throw new CommandError('refused', `${ancestor.id} is ${ancestor.state}: it is no ancestor`);
  if (ancestor.id === point) throw new CommandError('refused', sameText(point));
  for (const name of targets) {
    const type = desired?.targets[name]?.type;
    if (type !== undefined && !isMergeable(type)) {
      throw new CommandError(
        'refused',
        `${name} is of type ${type.kind}, which cannot be merged; --target names another`,
      );
    }
    if (snapshotOf(ancestor, name) === undefined) {
      throw new CommandError('refused', `the ancestor ${ancestor.id} holds nothing of ${name}`);
    }
  }
  return { ...merge, ancestor: ancestor.id };
}

function sameText(point: PointId): string {
  return `${point} cannot be its own ancestor: all that changed since would stay; name the newest point from before things went wrong`;
}

/** The part of the action that says so; undefined where the ancestor is there no more, and nothing may be restored. */
export function mergingOf(
  { points }: Pick<Memory, 'points'>,
  { merge }: Pick<ManualRestore, 'merge'>,
  target: string,
): Merging | undefined {
  if (merge === undefined) return {};
  const ancestor = points[merge.ancestor];
  const snapshot = ancestor === undefined || !isCaptured(ancestor) ? undefined : snapshotOf(ancestor, target);
  return snapshot === undefined ? undefined : { merge: { ...merge, ancestor: snapshot } };
}

/** By target what became of it, where it merged. */
export function mergesOf({ outcomes }: Pick<ManualRestore, 'outcomes'>): {
  readonly merges?: Readonly<Record<string, MergeReport>>;
} {
  const merges = Object.entries(outcomes).flatMap(([name, { merge }]) =>
    merge === undefined ? [] : [[name, merge] as const],
  );
  return merges.length === 0 ? {} : { merges: Object.fromEntries(merges) };
}

export type MergeAncestor =
  | { readonly kind: 'point'; readonly point: Point }
  | { readonly kind: 'none'; readonly reason: string };

/** How the target was before the incident: its newest valid point that was complete before the first breach. */
export function ancestorIn(
  { points }: Pick<Memory, 'points'>,
  incident: Pick<Incident, 'openedAt' | 'openedBy'>,
  target: string,
): Point | undefined {
  const since = Math.min(incident.openedAt, ...incident.openedBy.map(({ breachedSince }) => breachedSince));
  return Object.values(points)
    .filter((one) => isValid(one) && wholeSnapshotOf(one, target) !== undefined)
    .filter(({ completedAt }) => completedAt !== null && completedAt <= since)
    .sort(newestFirst)[0];
}

/** What a merge of a rung that goes back to a point holds live against. */
export function mergeAncestor(
  memory: Pick<Memory, 'points'>,
  incident: Incident,
  target: string,
  to: PointId,
): MergeAncestor {
  const point = ancestorIn(memory, incident, target);
  if (point === undefined)
    return { kind: 'none', reason: `there is no valid point of ${target} from before the first breach` };
  if (point.id !== to) return { kind: 'point', point };
  const reason = `${to} is itself the newest point of ${target} from before the first breach, so that a merge would leave all that changed since`;
  return { kind: 'none', reason };
}

/** The part of a rung's action that says so; undefined where there is no ancestor any more. */
export function mergingOfStep(
  memory: Pick<Memory, 'points'>,
  incident: Incident,
  { merge, target }: Pick<RestoreStep, 'merge' | 'target'>,
  to: PointId,
): Merging | undefined {
  if (merge === undefined) return {};
  const ancestor = mergeAncestor(memory, incident, target, to);
  const snapshot = ancestor.kind === 'point' ? snapshotOf(ancestor.point, target) : undefined;
  return snapshot === undefined ? undefined : { merge: { ...merge, ancestor: snapshot } };
}
