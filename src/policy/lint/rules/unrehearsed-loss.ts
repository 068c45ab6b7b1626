import type { Drill } from '../../../core/model/drill.ts';
import type { LintRule } from '../lint-rule.ts';

export const unrehearsedLoss: LintRule = {
  id: 'unrehearsed-loss',
  severity: 'advice',
  title: 'a rung that loses data is never rehearsed',
  why: 'It is the rung that people dread, and walk first in anger. Whether it works, and how long it takes, they learn when the data is already at stake.',
  mend: 'write a Drill for it: `spec: { schedule: "0 3 1 */3 *", policy: NAME, rungs: [RUNG], mode: scratch }`',
  find: ({ policies, drills }) =>
    policies.flatMap(({ document, value: { name, ladder, suspend } }) =>
      ladder.flatMap((rung, index) => {
        const isRehearsed = drills.some(({ value }) => covers(value, name, rung.name));
        if (rung.dataLoss === undefined || isRehearsed || suspend) return [];
        const message = `the rung "${rung.name}" of "${name}" loses data, and no Drill rehearses it`;
        return [{ document, path: ['spec', 'ladder', index, 'rung'], message }];
      }),
    ),
};

function covers({ policy, rungs, suspend }: Drill, name: string, rung: string): boolean {
  return !suspend && policy === name && (rungs === null || rungs.includes(rung));
}
