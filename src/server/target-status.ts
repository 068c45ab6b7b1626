import type { TargetMemory } from '../core/memory.ts';
import { formatOrigin } from '../core/model/origin.ts';
import { bakeOf, pathOf, shortCommit, type Target, trackOf } from '../core/model/target.ts';
import type { TargetSight } from '../core/observed.ts';
import { isMoving, lastGood, quarantineOf } from '../core/targets/code-revisions.ts';
import type { Millis } from '../core/units.ts';
import type { HostView } from './host-view.ts';

export type TargetStatus = {
  readonly target: string;
  readonly type: Target['type']['kind'];
  readonly path: string;
  readonly origin: string;
  readonly suspended: boolean;
  readonly state: 'current' | 'behind' | 'quarantined' | 'moving' | 'unreadable' | 'unseen';
  /** Commits; null while they are not known. */
  readonly revision: string | null;
  readonly since: Millis | null;
  /** Whether tracked files were changed by hand. */
  readonly changed: boolean;
  readonly tracks: { readonly ref: string; readonly revision: string | null; readonly subject: string | null } | null;
  readonly good: boolean;
  /** When the present revision has proved good, if nothing disturbs it; null where it has, or something does. */
  readonly goodAt: Millis | null;
  /** Where a rollback would go now; null if there is no such revision. */
  readonly lastGood: string | null;
  /** Steps until it is effective. */
  readonly owed: number;
};

export function targetStatuses(view: HostView): TargetStatus[] {
  return Object.values(view.desired()?.targets ?? {}).map((target) => targetStatus(target, view));
}

export function targetStatus(target: Target, view: HostView): TargetStatus {
  const memory = view.memory();
  const known = memory.targets[target.name];
  const sight = view.targetSights()[target.name];
  const seen = sight?.kind === 'git' ? sight : undefined;
  const { name, type } = target;
  const track = trackOf(target);
  return {
    target: name,
    type: type.kind,
    path: pathOf(target),
    origin: formatOrigin(target.origin),
    suspended: target.suspend,
    state: isMoving(memory, name) ? 'moving' : stateOf(target, view, sight),
    revision: seen?.head.commit ?? known?.current?.commit ?? null,
    since: known?.current?.since ?? null,
    changed: seen?.isDirty ?? false,
    tracks:
      track === undefined
        ? null
        : { ref: track.ref, revision: seen?.tip?.commit ?? null, subject: seen?.tip?.subject ?? null },
    good: known?.current?.isGood ?? false,
    goodAt: goodAt(known, bakeOf(target)),
    lastGood: known === undefined ? null : (lastGood(memory, name, known)?.commit ?? null),
    owed: owedSteps(known),
  };
}

function stateOf({ name }: Target, view: HostView, sight: TargetSight | undefined): TargetStatus['state'] {
  if (sight === undefined) return 'unseen';
  if (sight.kind === 'unreadable') return 'unreadable';
  if (sight.kind === 'captured') return 'current';
  const { holds } = view.memory();
  const { head, tip } = sight;
  if (quarantineOf(holds, name, head.tree) !== undefined) return 'quarantined';
  if (tip === null || tip.tree === head.tree) return 'current';
  return quarantineOf(holds, name, tip.tree) === undefined ? 'behind' : 'current';
}

function goodAt(known: TargetMemory | undefined, bakeMs: Millis): Millis | null {
  const current = known?.current ?? null;
  return current === null || current.isGood || current.calmSince === null ? null : current.calmSince + bakeMs;
}

/** A commit for people; `unknown` while it is not known. */
export function shownCommit(commit: string | null): string {
  return commit === null ? 'unknown' : shortCommit(commit);
}

function owedSteps(known: TargetMemory | undefined): number {
  const owed = known?.owed ?? null;
  return owed === null ? 0 : owed.steps.length - owed.done;
}
