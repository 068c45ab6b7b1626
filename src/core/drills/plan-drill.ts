import { conflictSet } from '../incidents/conflict-set.ts';
import { setFlagObstacle } from '../incidents/set-flag.ts';
import type { Drill, DrillCause, DrillRun, Examination, PlannedRung, PlannedStep } from '../model/drill.ts';
import { snapshotOf } from '../model/point.ts';
import type { RollbackPolicy, Rung } from '../model/policy.ts';
import type { RestoreStep, Step } from '../model/step.ts';
import { isRevision, shortCommit, type Target } from '../model/target.ts';
import { restoreSourceAt } from '../points/restore-source.ts';
import { quarantineOf } from '../targets/code-revisions.ts';
import type { Turn } from '../turn.ts';
import { formatInstant } from '../units.ts';

/** What a drill rests on. */
export type DrillGround = Pick<Turn, 'desired' | 'observed' | 'memory' | 'now'>;

/** The policy's own triggers say how far back a rollback would go. */
type RungGround = DrillGround & { readonly policy: RollbackPolicy };

/** A drill as it would run now; undefined if git has no such policy. */
export function plannedRun(ground: DrillGround, drill: Drill, cause: DrillCause): DrillRun | undefined {
  const policy = ground.desired.policies[drill.policy];
  if (policy === undefined) return undefined;
  return {
    id: `${drill.name}@${formatInstant(ground.now).replaceAll(/[-:]|\.\d+/g, '')}`,
    startedAt: ground.now,
    cause,
    policy: policy.name,
    mode: drill.mode,
    rtoMs: drill.rtoMs ?? policy.rtoMs ?? null,
    conflictSet: conflictSet(policy),
    rungs: rungsOf(policy, drill).map((rung) => plannedRung({ ...ground, policy }, rung)),
    items: {},
    ended: null,
  };
}

export function rungsOf({ ladder }: RollbackPolicy, { rungs }: Pick<Drill, 'rungs'>): readonly Rung[] {
  return rungs === null ? ladder : ladder.filter(({ name }) => rungs.includes(name));
}

function plannedRung(ground: RungGround, rung: Rung): PlannedRung {
  return {
    rung: rung.name,
    when: rung.when ?? [],
    steps: [
      ...rung.do.map((step) => ({ part: 'do' as const, ...plannedStep(ground, step) })),
      ...rung.onFailure.map((step) => ({ part: 'onFailure' as const, ...plannedStep(ground, step) })),
    ],
    checks: rung.verify.checks,
  };
}

/** What only a decision knows of a step: where a restore goes, what a flag is written to, who is told. */
function plannedStep(ground: RungGround, step: Step): Omit<PlannedStep, 'part'> {
  switch (step.kind) {
    case 'setFlag': {
      const flag = ground.desired.flags[step.flag];
      const obstacle = setFlagObstacle(flag, step);
      if (flag === undefined || obstacle !== null)
        return { step, known: { outcome: 'obstacle', detail: obstacle ?? '' } };
      return { step, places: flag.deliver };
    }
    case 'restore':
      return { step, ...restoreFrom(ground, step) };
    case 'notify': {
      const heard = step.to.filter((name) => ground.desired.notifiers[name]?.suspend === false);
      const detail = heard.length === 0 ? 'nobody would be told' : `would tell ${heard.join(', ')}`;
      return { step, known: { outcome: heard.length === 0 ? 'obstacle' : 'ready', detail } };
    }
    case 'createPoint': {
      const policy = ground.desired.pointPolicies?.[step.policy];
      if (policy === undefined) return { step, ...obstacle(`git no longer has PointPolicy ${step.policy}`) };
      if (policy.suspend) return { step, ...obstacle(`PointPolicy ${step.policy} is suspended`) };
      return { step, known: { outcome: 'ready', detail: `would capture ${policy.targets.join(', ')}` } };
    }
    default:
      return { step };
  }
}

/**
 * Where a rollback of what comes next would go: the newest good revision. Unlike in an incident that may be the one in
 * place, which nothing speaks against while all is well.
 */
function restoreFrom(ground: RungGround, step: RestoreStep): Pick<PlannedStep, 'known' | 'move'> {
  const target = ground.desired.targets[step.target];
  if (target === undefined) return obstacle(`git no longer has target ${step.target}`);
  if (target.suspend) return obstacle(`target ${step.target} is suspended`);
  if (target.type.kind !== 'git' || !isRevision(step.to)) return restoreFromPoint(ground, step, target);
  const sight = ground.observed.targets[step.target];
  if (sight?.kind === 'unreadable') return obstacle(`${step.target}: ${sight.message}`);
  if (step.to.kind === 'revision') return { move: { target, to: step.to.revision } };
  const good = ground.memory.targets[step.target]?.good.find(
    ({ tree }) => quarantineOf(ground.memory.holds, step.target, tree) === undefined,
  );
  if (good !== undefined) return { move: { target, to: good.commit } };
  return obstacle(`no revision of ${step.target} has proved good yet, so there is none to go back to`);
}

/** The point that a rollback of what comes next would go back to. */
function restoreFromPoint(
  { memory, policy, now }: RungGround,
  { to }: RestoreStep,
  target: Target,
): Pick<PlannedStep, 'known' | 'move'> {
  if (to.kind === 'safetyPoint') {
    return { known: { outcome: 'ready', detail: 'the rung keeps it before it overwrites anything' } };
  }
  const source = restoreSourceAt(memory, { policy, now }, { target: target.name, to });
  if (source.kind === 'none') return obstacle(source.reason);
  const snapshot = snapshotOf(source.point, target.name);
  if (snapshot === undefined) return obstacle(`point ${source.point.id} holds nothing of ${target.name}`);
  return { move: { target, to: source.point.id, snapshot } };
}

function obstacle(detail: string): { readonly known: Examination } {
  return { known: { outcome: 'obstacle', detail } };
}

/** `restore code to its last good revision` says which one only in a rehearsal. */
export function describeMove({ move }: Pick<PlannedStep, 'move'>): string {
  if (move === undefined) return '';
  return `, ${move.snapshot === undefined ? shortCommit(move.to) : move.to}`;
}
