import type { Drill } from '../../../core/model/drill.ts';
import type { RollbackPolicy } from '../../../core/model/policy.ts';
import type { LintRule } from '../lint-rule.ts';

export const restoreNeverTried: LintRule = {
  id: 'restore-never-tried',
  severity: 'advice',
  title: 'points are read again, but never restored for trial',
  why: 'Every byte can be there and the restore still fail: a database that does not open, rights that are missing, a disk that is too small. Only a restore shows that.',
  mend: 'write `restoreTest: true` to `verify`, or a Drill with `mode: scratch` of a rung that restores these targets',
  find: ({ pointPolicies, drills, policies }) =>
    pointPolicies.flatMap(({ document, value: { name, verify, targets, suspend } }) => {
      if (verify === null || verify.restoreTest || suspend) return [];
      const isTried = drills.some(({ value: drill }) =>
        policies.some(({ value }) => triesRestore(drill, value, targets)),
      );
      if (isTried) return [];
      return [{ document, path: ['spec', 'verify'], message: `no point of "${name}" is ever restored for trial` }];
    }),
};

function triesRestore(drill: Drill, { name, ladder }: RollbackPolicy, targets: readonly string[]): boolean {
  if (drill.suspend || drill.mode !== 'scratch' || drill.policy !== name) return false;
  return ladder
    .filter((rung) => drill.rungs === null || drill.rungs.includes(rung.name))
    .some((rung) => rung.do.some((step) => step.kind === 'restore' && targets.includes(step.target)));
}
