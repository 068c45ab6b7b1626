import type { Flag } from '../core/model/flag.ts';
import type { RollbackPolicy } from '../core/model/policy.ts';
import type { Step } from '../core/model/step.ts';
import type { Target } from '../core/model/target.ts';
import { coveredFlags } from '../core/points/flag-state.ts';

/** Tells the policy's restores which flags they may set: that is part of what the ladder touches, and stands elsewhere. */
export function namingFlags(
  policy: RollbackPolicy,
  targets: Readonly<Record<string, Target>>,
  flags: Readonly<Record<string, Flag>>,
): RollbackPolicy {
  const named = (step: Step): Step => {
    const type = step.kind === 'restore' ? targets[step.target]?.type : undefined;
    if (step.kind !== 'restore' || type?.kind !== 'flags') return step;
    return { ...step, flags: step.paths.length === 0 ? coveredFlags(flags, type) : step.paths };
  };
  const ladder = policy.ladder.map((rung) => ({
    ...rung,
    do: rung.do.map(named),
    onFailure: rung.onFailure.map(named),
  }));
  return { ...policy, ladder };
}
