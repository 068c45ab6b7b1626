import type { HostRules } from '../model/desired.ts';
import { type Point, type PointCause, pointId } from '../model/point.ts';
import type { Turn } from '../turn.ts';

type Wish = {
  /** What the id tells people: the name of the policy, of the point, or of the target. */
  readonly label: string;
  readonly policy: string | null;
  readonly targets: readonly string[];
  readonly cause: PointCause;
} & Partial<Pick<Point, 'name' | 'description' | 'session' | 'metadata' | 'ttlMs' | 'recover'>>;

/** A point that is to be captured next. One of no policy, and without a time to live of its own, gets the host's. */
export function newPoint(
  { label, ...wish }: Wish,
  { desired, memory, now }: Pick<Turn, 'memory' | 'now'> & { readonly desired: Pick<HostRules, 'points'> | null },
): Point {
  return {
    metadata: {},
    ttlMs: wish.policy === null ? (desired?.points?.ttlMs ?? null) : null,
    ...wish,
    id: pointId(now, label, memory.points),
    createdAt: now,
    completedAt: null,
    state: 'creating',
    snapshots: [],
    pinned: null,
    failure: null,
    verifiedAt: null,
    verify: null,
    pruned: null,
  };
}

export function beginPoint(turn: Turn, wish: Wish): void {
  turn.emit({ type: 'point.begun', point: newPoint(wish, turn) });
}
