import type { LintRule } from '../lint-rule.ts';

export const pointsNeverRead: LintRule = {
  id: 'points-never-read',
  severity: 'advice',
  title: 'points are stored and never read again',
  why: 'Disks lose bits without saying so. A point that was intact when it was stored is found damaged on the day on which it is needed.',
  mend: 'have them read again: `verify: { schedule: "0 4 * * 0", restoreTest: true }`',
  find: ({ pointPolicies }) =>
    pointPolicies.flatMap(({ document, value: { name, verify, suspend } }) =>
      verify !== null || suspend
        ? []
        : [{ document, path: ['spec', 'verify'], message: `no point of "${name}" is read again after it was stored` }],
    ),
};
