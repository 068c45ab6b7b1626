import type { Action } from '../model/action.ts';
import { isCaptured, type Point } from '../model/point.ts';
import { afterKey, type PointPolicy } from '../model/point-policy.ts';
import { type CodeTarget, isCodeTarget, shortCommit } from '../model/target.ts';
import type { Turn } from '../turn.ts';
import type { Millis } from '../units.ts';
import { beginPoint } from './begin-point.ts';
import { pointsIn } from './points-by-state.ts';
import { newestFirst } from './verdicts.ts';

/** A point that failed before a deployment is tried again after so long; the deployment waits. */
const RETRY_MS: Millis = 600_000;

type Wanting = Pick<Turn, 'desired'>;

function wanting({ desired }: Wanting, when: 'before' | 'after'): PointPolicy[] {
  const all = Object.values(desired.pointPolicies ?? {}).sort((a, b) => (a.name < b.name ? -1 : 1));
  return all.filter(({ suspend, take }) => !suspend && take[when].some((occasion) => occasion === 'revision'));
}

/** For which deployment a point stands: `code to 1a2b3c…`. */
function occasionOf({ target, to }: { readonly target: { readonly name: string }; readonly to: string }): string {
  return `${target.name} to ${shortCommit(to)}`;
}

/** Whether a deployment waits for points that its host's policies want taken before it. */
export function isHeldByPoints(turn: Turn, action: Action): boolean {
  if (action.kind !== 'restore' || action.why.kind !== 'deploy') return false;
  const occasion = occasionOf(action);
  return wanting(turn, 'before').some((policy) => {
    const point = newestFor(turn, policy, occasion);
    return point === undefined || !isCaptured(point);
  });
}

/** Begins the points that deployments wait for, and those that are taken once one is in place. */
export function takeForRevisions(turn: Turn, deployments: readonly Action[]): void {
  for (const action of deployments) {
    if (action.kind !== 'restore' || action.why.kind !== 'deploy') continue;
    for (const policy of wanting(turn, 'before')) takeBefore(turn, policy, occasionOf(action));
  }
  for (const policy of wanting(turn, 'after')) {
    for (const target of Object.values(turn.desired.targets).filter(isCodeTarget)) takeAfter(turn, policy, target);
  }
}

function takeBefore(turn: Turn, policy: PointPolicy, by: string): void {
  const known = newestFor(turn, policy, by);
  const isOver = known === undefined || (known.state === 'failed' && turn.now >= known.createdAt + RETRY_MS);
  if (!isOver) return;
  begin(turn, policy, by);
}

/** What was in place when the policy came is no new revision. */
function takeAfter(turn: Turn, policy: PointPolicy, { name, type }: CodeTarget): void {
  const memory = turn.memory.targets[name];
  const current = memory?.current ?? null;
  if (type.track === undefined || current === null) return;
  const schedule = afterKey(policy.name, name);
  const known = turn.memory.schedules[schedule]?.expression;
  if (known === current.commit) return;
  const isDeployed = memory?.arrived === current.tree;
  // What makes it effective is part of the new revision.
  if (known !== undefined && isDeployed && (memory?.owed ?? null) !== null) return;
  turn.emit({ type: 'schedule.met', schedule, expression: current.commit });
  if (known !== undefined && isDeployed) begin(turn, policy, `${name} at ${shortCommit(current.commit)}`);
}

function begin(turn: Turn, { name, targets }: PointPolicy, by: string): void {
  beginPoint(turn, { label: name, policy: name, targets, cause: { kind: 'revision', by } });
}

function newestFor({ memory }: Turn, { name }: PointPolicy, by: string): Point | undefined {
  return Object.values(memory.points)
    .filter(({ policy, cause }) => policy === name && cause.kind === 'revision' && cause.by === by)
    .sort(newestFirst)[0];
}

/** When a point that failed is taken again. */
export function revisionInstants({ memory }: Pick<Turn, 'memory'>): Millis[] {
  return pointsIn(memory, 'failed').flatMap(({ cause, createdAt }) =>
    cause.kind === 'revision' ? [createdAt + RETRY_MS] : [],
  );
}
